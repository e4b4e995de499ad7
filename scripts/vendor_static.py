"""Fetch the front end's third-party files and store them under config/static/vendor/.

Run `python scripts/vendor_static.py` to refresh after changing a version below; it needs `npm` (for `npm pack`, which
checks each package's integrity). The files are committed, so neither start nor installation runs this.
`VERSIONS.json` beside the files lists name, version, licence and SHA-256 of each.
"""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "config" / "static" / "vendor"

# name → (version, licence, {file in the package: file here})
COPIED = {
    "bootstrap": ("5.3.9", "MIT", {"dist/css/bootstrap.min.css": "bootstrap.min.css"}),
    "htmx.org": ("2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js"}),
    "idiomorph": (
        "0.8.0",
        "0BSD",
        {"dist/idiomorph-ext.min.js": "idiomorph-ext.min.js"},
    ),
    "uplot": (
        "1.6.32",
        "MIT",
        {
            "dist/uPlot.iife.min.js": "uplot.iife.min.js",
            "dist/uPlot.min.css": "uplot.min.css",
        },
    ),
    "@xterm/xterm": ("6.0.0", "MIT", {"lib/xterm.mjs": "xterm.min.mjs", "css/xterm.css": "xterm.css"}),
    "@xterm/addon-fit": ("0.11.0", "MIT", {"lib/addon-fit.mjs": "xterm-addon-fit.min.mjs"}),
}
ICONS_PACKAGE = ("@tabler/icons", "3.51.0", "MIT")
MAP_PACKAGE = ("world-atlas", "2.0.2", "ISC")

ICONS = (
    "activity",
    "alert-triangle",
    "antenna",
    "arrow-down",
    "arrow-left",
    "arrow-up",
    "bell",
    "bell-off",
    "book",
    "check",
    "chevron-down",
    "chevron-right",
    "clock",
    "coin",
    "copy",
    "cpu",
    "device-desktop",
    "dots-vertical",
    "download",
    "external-link",
    "eye",
    "file-text",
    "filter",
    "gauge",
    "git-compare",
    "help",
    "history",
    "info-circle",
    "key",
    "layout-dashboard",
    "lock",
    "logout",
    "map-pin",
    "menu-2",
    "moon",
    "pencil",
    "player-pause",
    "player-play",
    "player-record",
    "player-stop",
    "plus",
    "puzzle",
    "refresh",
    "repeat",
    "rocket",
    "search",
    "server",
    "settings",
    "shield",
    "sun",
    "terminal-2",
    "trash",
    "user",
    "users",
    "wave-sine",
    "x",
)

Point = tuple[float, float]

COMMENT = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)
SOURCE_MAP = re.compile(rb"\n?(/\*# sourceMappingURL=.*?\*/|//# sourceMappingURL=\S+)")


def main() -> None:
    records = []
    (VENDOR / "licences").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (version, licence, files) in COPIED.items():
            package = Package(name, version, licence, Path(folder))
            # Source maps are not shipped, so the pointers to them would be dead links.
            made = {here: SOURCE_MAP.sub(b"", package.read(there)) for there, here in files.items()}
            # Style sheets that are not minified lose their comments; their licences lie beside them.
            made |= {here: COMMENT.sub(b"", made[here]) for here in made if re.fullmatch(r"[^.]+\.css", here)}
            records.append(package.store(made))
        package = Package(*ICONS_PACKAGE, Path(folder))
        records.append(package.store({"icons.svg": icon_sprite(package)}))
        package = Package(*MAP_PACKAGE, Path(folder))
        records.append(package.store({"world.svg": world_map(json.loads(package.read("land-110m.json")))}))
    (VENDOR / "VERSIONS.json").write_text(json.dumps(records, indent=2) + "\n")


class Package:
    """One npm package, unpacked in memory on demand."""

    def __init__(self, name: str, version: str, licence: str, folder: Path):
        self.name, self.version, self.licence = name, version, licence
        command = [
            "npm",
            "pack",
            f"{name}@{version}",
            "--silent",
            "--pack-destination",
            str(folder),
        ]
        packed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        self.archive = folder / packed.stdout.strip().splitlines()[-1]

    def read(self, path: str) -> bytes:
        with tarfile.open(self.archive) as archive:
            return archive.extractfile(f"package/{path}").read()

    def store(self, files: dict[str, bytes]) -> dict:
        """Write the files and the licence text; return the entry of VERSIONS.json."""
        short = self.name.strip("@").replace("/", "-")
        files = files | {f"licences/{short}.txt": self.read("LICENSE")}
        for path, content in files.items():
            (VENDOR / path).write_bytes(content)
            print(f"{path}: {len(content)} bytes", file=sys.stderr)
        return {
            "name": self.name,
            "version": self.version,
            "licence": self.licence,
            "sha256": {path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
        }


def icon_sprite(package: Package) -> bytes:
    """One SVG with a <symbol> an icon; a page shows one with <use href="…/icons.svg#name">."""
    symbols = []
    for name in sorted(ICONS):
        source = package.read(f"icons/outline/{name}.svg").decode()
        shapes = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL).group(1)
        shapes = re.sub(r'<path stroke="none"[^>]*/>|\s*\n\s*', "", shapes)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def world_map(topology: dict) -> bytes:
    """Land outlines in the equirectangular projection: x = lon + 180 and y = 90 - lat, one unit a degree."""
    (scale_x, scale_y), (shift_x, shift_y) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs: list[list[Point]] = []
    for deltas in topology["arcs"]:
        x = y = 0
        arc = []
        for delta_x, delta_y in deltas:
            x, y = x + delta_x, y + delta_y
            arc.append(
                (
                    round(x * scale_x + shift_x + 180, 1),
                    round(90 - y * scale_y - shift_y, 1),
                )
            )
        arcs.append(arc)

    polygons = [
        polygon
        for shape in topology["objects"]["land"]["geometries"]
        for polygon in (shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]])
    ]
    path = "".join(outline(ring(arcs, indexes)) for polygon in polygons for indexes in polygon)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 180">'
        f'<path id="land" fill-rule="evenodd" d="{path}"/></svg>\n'
    ).encode()


def ring(arcs: list[list[Point]], indexes: list[int]) -> list[Point]:
    """The closed line that the arcs make. Over the date line it goes on past the edge instead of jumping back."""
    points: list[Point] = []
    shift = 0
    for index in indexes:
        for x, y in arcs[index] if index >= 0 else arcs[~index][::-1]:
            if points and x + shift - points[-1][0] > 180:
                shift -= 360
            elif points and x + shift - points[-1][0] < -180:
                shift += 360
            point = (round(x + shift, 1), y)
            if not points or point != points[-1]:
                points.append(point)
    return points


def outline(points: list[Point]) -> str:
    """SVG path of a ring, twice when a part of it is past an edge. Without Antarctica and what is too small to see."""
    if len(points) < 4 or min(y for _, y in points) >= 150:
        return ""
    copies = [0]
    if max(x for x, _ in points) > 360:
        copies.append(-360)
    if min(x for x, _ in points) < 0:
        copies.append(360)
    return "".join("M" + "L".join(f"{x + copy:g},{y:g}" for x, y in points) + "Z" for copy in copies)


if __name__ == "__main__":
    main()
