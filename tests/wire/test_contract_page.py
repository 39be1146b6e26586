from laundryd.wire.contract_page import COMMAND, PAGE, contract_page


def test_the_contract_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == contract_page(), f"run {COMMAND}"
