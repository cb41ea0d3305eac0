"""What a model file may not say of what its model saw: the value, and words of both messages.

For two species, and a model that sees a history: four quantities.
"""

ROW = [0.1, 0.02, -6.0, 0.78]
MEAN, DEVIATION = [ROW, ROW], [[0.05, 0.01, 0.5, 0.015]] * 2


def seen(**changes: object) -> dict[str, object]:
    """What is right, or what differs from it."""
    return {"mean": MEAN, "deviation": DEVIATION} | changes


# Python, and then LAMMPS
WRONG_SEEN: dict[str, tuple[object, str, str]] = {
    "a number": (
        3,
        r"'seen': Input should be .* dictionary or instance .*, found 3",
        "'seen' must be null, or an object with the keys mean and deviation, got 3",
    ),
    "no deviation": (
        {"mean": MEAN},
        r"no key 'seen\.deviation'",
        "'seen.deviation' must be 2 rows of 4 positive numbers, one for each species and",
    ),
    "another key": (
        seen(n=4096),
        r"'seen\.n': Extra inputs are not permitted",
        "'seen' must be null, or an object with the keys mean and deviation, got {",
    ),
    "one species": (
        seen(mean=MEAN[:1], deviation=DEVIATION[:1]),
        r"'seen': expected 2 species with 4 quantities \(distance to the mean position, variance, "
        r"mean energy, distance to the nearest neighbor in the mean positions \(in bond "
        r"lengths\)\), found 1 with 4",
        "'seen.mean' must be 2 rows of 4 numbers, one for each species and quantity, got [[0.1,",
    ),
    "three quantities": (  # as files had before the distance to the nearest neighbor
        seen(mean=[row[:3] for row in MEAN], deviation=[row[:3] for row in DEVIATION]),
        r"'seen': expected 2 species with 4 quantities .*, found 2 with 3",
        "'seen.mean' must be 2 rows of 4 numbers",
    ),
    "more means than deviations": (
        seen(deviation=DEVIATION[:1]),
        r"'seen': expected a mean and a deviation of each .* found \[4, 4\] means and \[4\] dev",
        "'seen.deviation' must be 2 rows of 4 positive numbers",
    ),
    "a short row": (
        seen(mean=[ROW, ROW[:2]]),
        r"'seen': expected a mean and a deviation of each .* found \[4, 2\] means and \[4, 4\] dev",
        "'seen.mean' must be 2 rows of 4 numbers",
    ),
    "no variation": (
        seen(deviation=[[0.05, 0.01, 0.0, 0.015], [0.05, 0.01, 0.5, 0.015]]),
        r"'seen\.deviation\.0\.2': Input should be greater than 0, found 0\.0",
        "'seen.deviation' must be 2 rows of 4 positive numbers",
    ),
    "a word": (
        seen(mean=[ROW, [0.1, 0.02, "-6.0", 0.78]]),
        r"'seen\.mean\.1\.2': Input should be a valid number, found '-6\.0'",
        "'seen.mean' must be 2 rows of 4 numbers",
    ),
    "true": (
        seen(mean=[ROW, [0.1, 0.02, True, 0.78]]),
        r"'seen\.mean\.1\.2': Input should be a valid number, found True",
        "'seen.mean' must be 2 rows of 4 numbers",
    ),
}
