from ticket_urgency.rule import urgency
from ticket_urgency.task import TicketUrgency


def test_the_task_keeps_the_contract(check_task):
    check_task(TicketUrgency)


def test_a_short_run_goes_through(run_task):
    run = run_task(TicketUrgency)
    assert {"adapter", "rule"} <= set(run.metrics["systems"])
    assert {line["prediction"] for line in run.predictions("rule")} <= {1, 2, 3}


def test_the_rule():
    assert urgency("The web shop is down.") == 3
