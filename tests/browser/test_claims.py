"""Claims in a browser, where a press inside a part that renews itself runs that part alone."""
from __future__ import annotations


def test_an_experiment_goes_on_by_itself_is_stopped_and_an_arm_is_taken_along(app, visitor) -> None:
    me = visitor(app).open("claims", claim="gates_follow")
    me.settle().key("rz_claim_run").locator("button").click()
    me.key("rz_claim_stop").locator("button").click()
    me.key("rz_claim_run").locator("button:enabled").wait_for()
    me.key("rz_arm_0").locator("button").click()
    me.page.wait_for_url("**/architect*")
    assert me.settle().said() == []
