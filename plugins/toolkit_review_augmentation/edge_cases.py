"""120 hard reviews, written by hand for this project: each line has the stars and the text.

The stars follow the author's meaning: for sarcasm the opposite of its words. Ambiguous reviews have
three stars, as have those that praise and blame alike.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class EdgeCase(NamedTuple):
    """A hard review: what makes it hard, its stars (1 to 5) and its text."""

    kind: str
    stars: int
    text: str


_TEXTS: Final = {
    "sarcasm": """
1 Oh great, another charger that melts. Just what my evening needed.
1 Wonderful: it worked for a whole eleven minutes.
1 Congratulations to the designer, the lid opens all by itself in my bag.
1 I simply adore paying twice, once for it and once for the repair.
2 So quiet that you can hardly hear it over the sound of it rattling.
1 If you enjoy standing in line for refunds, this is the kettle for you.
1 Brilliant idea to put the off switch where nobody can reach it.
1 My cat loves it. It is the box that she loves, the rest is in the bin.
2 Five stars for the person who wrote the description, what a gift for fiction.
1 What a treat to spend Sunday looking for the missing screws.
1 Great if you need a paperweight with a plug.
1 It broke on day two, so at least it did not make me wait.
2 Yes, of course I wanted the blue one when I ordered red. How thoughtful.
1 The battery lasts forever, because it never gets used: it does not turn on.
1 Ten out of ten, would be electrocuted again.
2 Truly waterproof, as the water inside cannot get out any more.
1 Thanks for the rash, the cream smells nice.
1 Such clever packaging: it survived, the glass did not.
2 Nothing says quality like a handle held on with tape.
1 My favourite part was when it caught fire.
""",
    "mixed": """
3 The sound is superb and the app is a disaster.
3 Lovely colour, but it came off on the second wash.
3 Half of me wants to keep it for its looks, the other half to return it for its noise.
3 Cheap and it works; also ugly and loud.
2 The delivery was quick and friendly, sadly what was delivered is junk.
4 A few scratches on the base, otherwise everything I hoped for.
3 My wife loves it, I cannot stand it.
4 The manual is a joke, the machine is a joy.
2 It cleans well for a week and then it does not clean at all.
3 Great tent in the sun, useless tent in the rain.
4 Too dear by far, and still I would buy it again.
3 Fits like a glove on the left foot and like a bucket on the right.
3 On good days it is the best thing I own, on bad days I want to throw it.
2 The smell is heavenly, my skin went red within the hour.
3 Half the set is perfect, half arrived in pieces.
4 It took three tries to put together, and since then it has been rock solid.
3 Strong suction, weak battery, average everything else.
2 I wanted to like it for its price, but the zip gave up and the seams followed.
3 Sturdy and heavy: good at home, bad on the road.
4 The old model looked better, this one does everything else better.
""",
    "ambiguity": """
3 Well, it is certainly a lamp.
3 I have never had one like it.
3 It does what it does.
3 You get what you pay for.
3 My opinion of it changes with the weather.
3 It is different from what I thought.
3 Some will like it, some will not.
3 I am not sure what to say about this one.
3 It arrived. I have it.
3 People keep asking me where I bought it.
3 It is hard to put into words what this does to your hair.
3 There is nothing else like it on the market.
3 Interesting choice of colour.
3 I will see how it goes.
3 It is what they said it would be, more or less.
3 Ask me again in a year.
""",
    "negation": """
4 It is not bad at all.
2 I cannot say that I like it.
5 I have never been less disappointed by a purchase.
4 No leaks, no noise, no smell, no complaints.
1 Not once did it do what it should.
5 There is not a thing that I would change.
2 It is not that it is ugly, it just does not work.
4 I did not think I would like it, and I was wrong.
1 Nobody in this house would miss it.
2 Hardly what I would call sturdy.
5 You will not find anything better for the money.
2 I would not say no to a refund.
4 Nothing fell off, nothing broke, nothing to regret.
1 Never again, not even as a gift.
4 It is far from useless, in fact I use it daily.
2 Neither the fit nor the fabric is what was promised.
5 I could not have chosen better.
2 It is not the worst, which is the only nice thing I can say.
4 Without any problems for two years now.
1 Do not believe the good reviews.
""",
    "emoji": """
5 😍😍😍 obsessed!!!
1 🤮
5 Battery 🔋💯 sound 🎧💯
1 💸💸💸 for nothing 😡
3 🤷
4 👍 just a bit pricey 💰
1 broke in a day 💔😭
5 🔥🔥 best purchase ever 🔥🔥
2 looked 😍 online, looks 😒 here
3 ok 😐
5 my skin is so soft ✨🥰
1 👎👎👎
4 😊 would get again
2 zip is 🗑️, rest is meh
5 ⭐⭐⭐⭐⭐
1 ⭐ and only because zero is not possible
""",
    "other languages": """
5 Sehr gutes Produkt, ich bin rundum zufrieden.
1 Totaler Schrott, nach zwei Tagen kaputt.
5 Excelente calidad, lo recomiendo a todo el mundo.
1 No funciona y nadie responde. Muy decepcionado.
5 Très bon produit, je le rachèterais sans hésiter.
1 À éviter, il est tombé en panne tout de suite.
3 Niente di speciale, fa il suo lavoro.
5 Bellissimo, consegna veloce e ottimo materiale.
2 Het is kleiner dan ik dacht en de kwaliteit valt tegen.
4 Bra produkt för pengarna, men lite högljudd.
5 とても気に入りました。また買います。
1 质量太差了,用了一天就坏了。
5 Отличная вещь, всем советую.
3 Es geht so, für den Preis in Ordnung.
4 Muito bom, só a entrega demorou um pouco.
2 Beklediğim gibi değil, kumaşı çok ince.
""",
    "empty praise": """
5 Good.
5 Nice nice nice.
5 Love it!
5 Perfect!!!!!!
4 Fine product.
5 Wow.
5 Super duper.
5 Amazing, just amazing.
4 Good product good seller.
5 A+++
5 The best.
4 Like it.
""",
}


def _read() -> tuple[EdgeCase, ...]:
    return tuple(
        EdgeCase(kind, int(line[0]), line[2:])
        for kind, lines in _TEXTS.items()
        for line in lines.strip().splitlines()
    )


EDGE_CASES: Final = _read()
