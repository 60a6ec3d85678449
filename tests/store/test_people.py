"""People are known by pseudonyms and can be forgotten; the chain holds."""

import pytest

from geolabel.errors import InputError, StoreError
from labels import answer, scar, tasks_of, utm_grid

NAME = "Anna-Maria Unmistakable"


def test_a_person_keeps_one_pseudonym(ledger):
    first = ledger.person(NAME)
    assert first.startswith("person:")
    assert ledger.person(NAME) == first
    assert ledger.person("Ben") != first
    assert ledger.person(NAME, "other@example.org") != first  # another of that name
    assert [p.name for p in ledger.people.find(pseudonym=first)] == [NAME]
    assert len(ledger.people.find(NAME)) == 2
    assert "anna" not in first.lower()


def test_who_is_forgotten_is_gone_and_every_stream_holds(ledger):
    grid = utm_grid()
    known = ledger.person(NAME, "anna@example.org")
    ledger.append_answers([answer(tasks_of(grid)[0], grid, scar()[:64, :64], by=known)], actor=known)
    ledger.people.forget(known)
    assert ledger.people.find() == []
    assert ledger.answers(annotator=known)
    assert ledger.check() == []
    with pytest.raises(StoreError, match="nobody") as raised:
        ledger.people.forget(known)
    assert raised.value.hint
    assert ledger.person(NAME) != known


def test_no_byte_of_who_was_forgotten_is_left_in_the_files(ledger, where):
    if isinstance(where, str):
        pytest.skip("whether a server's files still hold a row is seen from inside the server only")
    known = ledger.person(NAME)
    files = [where, where.with_name(where.name + "-wal")]
    assert any(NAME.encode() in file.read_bytes() for file in files if file.exists())
    ledger.people.forget(known)
    assert not any(NAME.encode() in file.read_bytes() for file in files if file.exists())


def test_a_person_has_a_name(ledger):
    with pytest.raises(InputError, match="without a name"):
        ledger.person(" ")
