"""The reference page has every public name, argument and sentence of the docstrings."""

import inspect

import ntk_mnist as ntk
from ntk_mnist.api.reference import api_reference, in_markdown


def test_every_public_name_has_a_section_with_its_arguments() -> None:
    sections = dict(part.split("`", 1) for part in api_reference().split("## `")[1:])
    assert list(sections) == ntk.__all__
    for name in ("figure", "kernel", "predict", "read_table", "train"):
        function, text = getattr(ntk, name), sections[name]
        for argument in inspect.signature(function).parameters.values():
            assert f"    {argument.name}: " in text
            assert text.count(f"\n- `{argument.name}`: ") == 1
        assert "**Returns**\n\n- " in text
        assert "**Raises**\n\n- `UserError`: " in text
        assert inspect.getdoc(function).splitlines()[0] in text  # type: ignore[union-attr]
    for field in ntk.TrainedNetwork._fields:
        assert f"\n- `{field}`: " in sections["TrainedNetwork"]
    for field in ntk.Architecture.__struct_fields__:
        assert f"\n- `{field}`: " in sections["Architecture"]


def test_a_docstring_becomes_markdown() -> None:
    docstring = """The square.

    Of ``x``, as :func:`root` takes it.

    Args:
        x: a number, of which
            the square is taken.
        y: another.

    Returns:
        Its square,
        which is a number.

    Raises:
        ValueError: there is none: ever.
    """
    assert in_markdown(docstring) == (
        "The square.\n\nOf `x`, as `root` takes it.\n\n"
        "**Args**\n\n- `x`: a number, of which the square is taken.\n- `y`: another.\n\n"
        "**Returns**\n\n- Its square, which is a number.\n\n"
        "**Raises**\n\n- `ValueError`: there is none: ever.\n"
    )
