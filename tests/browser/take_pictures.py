"""Pictures of an experiment's page and figures, for the documentation.

PYTHONPATH=src:tests python -m browser.take_pictures results/ntk_mnist docs/pictures
"""

import sys
from pathlib import Path

from browser.conftest import CHROMIUM, open_page
from PIL import Image
from playwright.sync_api import sync_playwright

#: Width and height of a window by its name.
WINDOWS = {"desktop": (1280, 1500), "phone": (390, 844)}


def main(results: Path, folder: Path) -> None:
    """Take a picture of the top of the page in each window and theme, and copy each figure's.

    The folder's README.md then shows all pictures in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (width, height) in WINDOWS.items():
            for scheme in ("light", "dark"):
                page = open_page(browser, (results / "index.html").resolve(), width, scheme).page
                page.set_viewport_size({"width": width, "height": height})
                file = folder / f"{results.name}-{name}-{scheme}.png"
                page.screenshot(path=file)
                _shrink(file)
                page.close()
        browser.close()
    for figure in sorted((results / "figures").glob("*.png")):
        file = folder / f"{results.name}-{figure.name}"
        picture = Image.open(figure)
        picture.thumbnail((1100, 4000), Image.Resampling.LANCZOS)
        picture.save(file)
        _shrink(file)
    shown = [
        f"## {file.stem.replace('-', ': ', 1).replace('-', ', ')}\n\n![{file.stem}]({file.name})\n"
        for file in sorted(folder.glob("*.png"))
    ]
    head = (
        "# Pictures\n\nOf the pages and figures of the default experiment (`ntk_mnist`) and of "
        "`config/width_convergence.yaml`, as `make pictures` took them.\n"
    )
    (folder / "README.md").write_text("\n".join([head, *shown]))


def _shrink(file: Path) -> None:
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
