from usage_platform.core.meter_files.file_order import natural_order


def test_any_names_have_an_order_and_numbers_count_as_such():
    names = ["part10", "1²2", "part2", "", "٣", "part2b", "1²10"]
    assert sorted(names, key=natural_order)[-3:] == ["part2", "part2b", "part10"]
    assert natural_order("1²2") < natural_order("1²10")
