"""Ordinary English words, for the pre-training of the embedded encoder–decoder."""

from __future__ import annotations

COMMON = tuple(
    """
able about above accept accident across act add afternoon again against age ago agree air all
allow almost alone along already also although always amount and angle animal another answer any
appear area arm around arrive ask assess attention autumn away back bad bag bank base basement
bath be bear beat because become bed before begin behind below beside best between big bill
black blow body bottom box branch break bring brother brown build building burn burst business
busy but buy by call can capacity car care carry case cause center certain chair chance change
charge check child choose circle city class clear climb close coast collect colour come common
company complete condition confirm connect consider contact contain contents continue control
cook cool copy corner correct cost could count country couple course cover crack cross current
cut daily damage danger dark date day dead deal decide deep deliver demand department describe
desk detail determine develop different difficult direct discover distance district divide do
document door double down draw drive driver driveway drop dry during each early earth east easy
edge effect eight either electric electrical else end engine enough enter equal error estimate
even evening event every exact examine example except exchange expect experience explain extra
eye face fact fail fall family far farm fast father feel few field fifteen fill final find fine
finger finish fire first fit five fix flat flood floor follow food foot force forest form former
forward four free fresh friday friend from front full fully further garage garden gas general
get girl give glass go gold good government great ground group grow guest half hail hand handle
happen hard have head health hear heart heat heavy height help here high hill hit hold hole home
hope hospital hot hotel hour house how however hundred identify if impact important in inch
include increase indicate industry injure inside inspect instead interest into involve island
item join journey judge jump just keep key kind kitchen know lack land large last late laugh law
lay lead learn leave left less letter level lie life lift light like line list listen little
live local lock long look lose loss lost loud low lower machine main major make man many map
mark market matter may mean measure meet member memory metal middle might mile million minor
minute miss mobile moment money month more morning most mother motor mountain move much must
name narrow nation near neck need neighbour neither never new next night nine noise none nor
normal north note nothing notice now number object observe occur of off offer office officer
often old on once one only open operate or order other our out outside over own owner page paint
pair paper parent park parking part party pass past path pattern pay pending people percent
perhaps period person phone photo pick picture piece pipe place plan plane plant play please
point police pool poor position possible power present press price print private problem produce
property protect provide public pull purpose push put quarter question quick quiet quite rain
raise range rather reach read ready real rear reason receive recent record red refuse region
remain remember remove repair replace report represent request require rest result return right
ring rise river road rock roof room round rule run safe same saturday save say scene school
score scratch sea season seat second section see seem sell send separate serious serve service
set settle seven several shall shape share sharp shop short should show shut side sign similar
simple since single sister sit six size skill skin sleep slip slow small smoke snow so soft soil
sold some son soon sort sound south space speak special speed spend spoken spring square stage
stand star start state station stay steal step still stolen stone stop store storm story
straight strange street strong student study such sudden suffer sugar summer sun sunday supply
support suppose sure surface surprise system table take talk team tell ten term test than that
theft their then there thick thin thing third thirty this though thousand three through throw
thursday time to today together too top total touch toward town track trade train travel tree
trip truck true try tuesday turn twelve twenty two type under unit until up upon upper use usual
valley value van various vehicle very view village visit voice wait walk wall want warm was wash
watch water wave way we weather wednesday week weight well west wet what wheel when where
whether which while white whole why wide will wind window winter wish with within without
witness woman wonder wood word work world would write wrong yard year yellow yesterday yet young
zero
""".split()
)
"""Ordinary words, from which words that records do not contain are put together."""
