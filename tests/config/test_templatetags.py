"""The tags and filters of the pages, the words they use, and the files they stand on."""

import gzip
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone

from config import formats
from config.api.authentication import Principal
from config.api.permissions import ADMIN, VIEWER
from config.templatetags import charts, frame
from config.words import SHAPES, WORDS, word

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "config" / "static"
NOW = datetime(2026, 11, 22, 7, 20, 20, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context, context.pop("request", None))


def request_of(role: str | None = VIEWER, path: str = "/", **cookies: str):
    request = RequestFactory().get(path)
    request.COOKIES.update(cookies)
    request.principal = Principal(user=None, role=role) if role else None
    request.user = SimpleNamespace(is_authenticated=bool(role), theme="light")
    return request


class TestWords:
    def test_every_word_has_a_shape_so_no_state_is_colour_alone(self):
        for words in WORDS.values():
            for known in words.values():
                assert known.tone in SHAPES
                assert known.text[0].isupper()

    def test_letter_case_does_not_matter(self):
        assert word("instance", "RUNNING") == word("instance", "running")

    @pytest.mark.parametrize(("kind", "value", "text"), [("instance", "HALF_DONE", "Half done"), ("nothing", "x", "X")])
    def test_an_unlisted_value_is_shown_as_itself(self, kind, value, text):
        assert word(kind, value).text == text
        assert word(kind, value).tone == "unknown"

    def test_nothing_is_unknown(self):
        assert word("instance", None).text == "Unknown"
        assert word("monitor", None).text == "Not run yet"


class TestFormats:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"),
            (1842, "1,842"),
            (1842.4, "1,842"),
            (94.23, "94.2"),
            (4.2, "4.2"),
            (0.04213, "0.0421"),
            (-3.14159, "-3.14"),
            (9.999, "10"),
            (None, "unknown"),
            (float("nan"), "unknown"),
        ],
    )
    def test_number(self, value, text):
        assert formats.number(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 B"),
            (1023, "1,023 B"),
            (1024, "1 KiB"),
            (2147483648, "2 GiB"),
            ("9007199254740993", "8 PiB"),
            ("much", "unknown"),
            (None, "unknown"),
        ],
    )
    def test_bytes(self, value, text):
        assert formats.bytes_size(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(182, "182 ms"), (999.9, "1,000 ms"), (2410, "2.41 s"), (125000, "2 min 5 s"), (None, "unknown")],
    )
    def test_milliseconds(self, value, text):
        assert formats.milliseconds(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 s"),
            (0.85, "850 ms"),
            (12.5, "12.5 s"),
            (60, "1 min"),
            (250, "4 min 10 s"),
            (7500, "2 h 5 min"),
            (273600, "3 d 4 h"),
        ],
    )
    def test_duration(self, value, text):
        assert formats.duration(value) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (4, "4 s ago"),
            (59.9, "59 s ago"),
            (60, "1 min ago"),
            (7200, "2 h ago"),
            (86400, "1 day ago"),
            (300000, "3 days ago"),
            (-240, "in 4 min"),
            (0.4, "now"),
        ],
    )
    def test_relative(self, seconds, text):
        assert formats.relative(NOW - timedelta(seconds=seconds), NOW) == text

    def test_percent_is_never_invented(self):
        assert formats.percent(None) == "unknown"
        assert render("{{ value|percent }}", value=0) == "0 %"


class TestParts:
    def test_chip_has_shape_word_and_tone(self):
        html = render('{% chip "instance" state %}', state="RUNNING")
        assert "tone-good" in html and "●" in html and "Running" in html

    def test_chip_escapes_what_it_is_given(self):
        assert "<b>" not in render('{% chip "instance" state %}', state="<b>")

    def test_icon_is_decoration_unless_named(self):
        assert 'aria-hidden="true"' in render('{% icon "server" %}')
        assert 'aria-label="Server"' in render('{% icon "server" "Server" %}')

    def test_every_icon_in_use_is_in_the_sprite(self):
        sprite = (STATIC / "vendor" / "icons.svg").read_text()
        used = set(
            re.findall(r'{% icon "([^"]+)"', "".join(p.read_text() for p in (ROOT / "templates").rglob("*.html")))
        )
        used |= {item.icon for items in frame.NAVIGATION.values() for item in items}
        assert used
        assert {name for name in used if f'id="{name}"' not in sprite} == set()

    def test_as_api_keeps_the_key_a_variable_and_quotes(self):
        html = render('{% as_api "POST" "/api/v1/x?a=1&b=2" body %}', body={"name": "it's"}, request=request_of())
        assert "$PHAROS_API_KEY" in html
        assert "curl -X POST" in html
        assert "http://testserver/api/v1/x?a=1&amp;b=2" in html


class TestTimes:
    def test_relative_time_carries_iso_and_zone(self):
        with timezone.override("Europe/Berlin"):
            html = render("{% ago moment %}", moment=NOW)
        assert 'datetime="2026-11-22T07:20:20.000Z"' in html
        assert 'title="22 Nov 2026, 08:20:20 CET"' in html
        assert "data-relative" in html

    def test_absolute_time_has_the_readers_zone_and_utc_on_hover(self):
        with timezone.override("Asia/Kolkata"):
            html = render("{% at moment %}", moment=NOW)
        assert ">22 Nov 2026, 12:50:20 IST<" in html
        assert 'title="22 Nov 2026, 07:20:20 UTC"' in html

    def test_no_moment_says_so(self):
        assert "never" in render("{% ago moment %}", moment=None)


class TestGraphics:
    @pytest.mark.parametrize(
        ("value", "tone", "width"),
        [(0, "good", "0.0"), (80, "warning", "38.4"), (90, "bad", "43.2"), (250, "bad", "48.0")],
    )
    def test_usage_bar(self, value, tone, width):
        html = render("{% usage_bar value %}", value=value)
        assert f"tone-{tone}" in html and f'width="{width}"' in html and f"{value} %" in html

    def test_usage_without_a_value_is_unknown(self):
        html = render("{% usage_bar value %}", value=None)
        assert "unknown" in html and "<svg" not in html

    def test_check_bars_differ_in_height_and_count_in_words(self):
        html = render("{% check_bars checks %}", checks=[("pass", NOW), ("pass", NOW), ("fail", NOW), ("error", None)])
        assert "Last 4 checks: 2 pass, 1 fail, 1 error" in html
        heights = dict(re.findall(r'class="tone-(\w+)"[^>]* height="(\d+)"', html))
        assert heights["good"] != heights["bad"]
        assert html.count('class="slot"') == 36

    def test_check_bars_show_the_newest_40(self):
        html = render("{% check_bars checks %}", checks=[("fail", None)] + [("pass", None)] * 40)
        assert "Last 40 checks: 40 pass" in html

    def test_sparkline_does_not_bridge_gaps(self):
        path = re.search(r' d="([^"]+)"', render('{% sparkline values "CPU" "%" %}', values=[1, 2, None, 3, 4])).group(
            1
        )
        assert path.count("M") == 2

    def test_sparkline_of_nothing_draws_nothing(self):
        assert "<svg" not in render('{% sparkline values "CPU" %}', values=[None, None])

    def test_pin_stands_at_its_place(self):
        pins = [
            {"lat": 50.0, "lon": 8.5, "tone": "good", "count": 4, "label": "Frankfurt"},
            {"lat": None, "lon": None, "label": "?"},
        ]
        html = render("{% world_map pins %}", pins=pins)
        assert 'cx="188.50" cy="40.00"' in html
        assert html.count("<circle") == 1

    def test_no_tag_writes_inline_styles(self):
        sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "config" / "templatetags").rglob("*.py")]
        assert [path for path in sources if re.search(r'\sstyle="|\son\w+="', path.read_text())] == []


class TestChart:
    DATA = {
        "series": [
            {"label": "mean", "unit": "%", "points": [[1795332000, 10.0], [1795332030, None], [1795332060, 30.0]]},
            {"label": "highest", "unit": "%", "points": [[1795332000, 50.0]]},
        ],
        "from": 1795332000,
        "to": 1795332060,
    }

    def test_table_has_the_same_numbers(self):
        html = render('{% chart "CPU" src="/x" data=data topic="fleet" %}', data=self.DATA)
        cells = re.findall(r'<td class="num">([^<]*)</td>', html)
        assert cells == ["30 %", "no data", "no data", "no data", "10 %", "50 %"]
        assert 'data-chart-src="/x"' in html and 'data-chart-topic="fleet"' in html

    def test_sentence_tells_lowest_highest_and_now(self):
        text = charts.summary("CPU", "last hour", self.DATA["series"])
        assert (
            text
            == "CPU, last hour: mean lowest 10 %, highest 30 %, now 30 %; highest lowest 50 %, highest 50 %, now 50 %."
        )

    def test_first_data_cannot_break_out_of_the_page(self):
        data = {"series": [{"label": "</script><b>", "unit": "", "points": []}], "from": 0, "to": 1}
        assert "<b>" not in render('{% chart "x" src="/x" data=data %}', data=data)

    def test_without_data_it_says_so(self):
        assert "No data in this range." in render('{% chart "CPU" src="/x" %}')


class TestFrame:
    def test_navigation_holds_only_pages_that_exist(self, monkeypatch):
        missing = frame.Item("Missing", "book", "ui:no-such-page")
        monkeypatch.setattr(frame, "NAVIGATION", frame.NAVIGATION | {"Act": (missing,)})
        html = render("{% navigation %}", request=request_of(path="/api/docs/"))
        assert 'href="/api/docs/" aria-current="page"' in html
        assert ">Logs<" in html and ">Missing<" not in html

    def test_navigation_hides_what_the_role_cannot_use(self, monkeypatch):
        items = (frame.Item("Docs", "book", "ui:api-docs", ADMIN),)
        monkeypatch.setattr(frame, "NAVIGATION", {"Govern": items})
        assert "Docs" not in render("{% navigation %}", request=request_of(VIEWER))
        assert "Docs" in render("{% navigation %}", request=request_of(ADMIN))
        assert "Docs" not in render("{% navigation %}", request=request_of(None))

    @pytest.mark.parametrize(
        ("cookies", "chosen"), [({}, "light"), ({"theme": "dark"}, "dark"), ({"theme": "<x>"}, "light")]
    )
    def test_theme_is_known_before_the_first_paint(self, cookies, chosen):
        assert f'data-theme="{chosen}"' in render('{% include "shell.html" %}', request=request_of(**cookies))

    def test_page_without_a_request_renders(self):
        """The 500 page has no context to lean on."""
        assert 'data-theme="system"' in render('{% include "errors/500.html" %}')

    @pytest.mark.parametrize("code", [400, 403, 404, 500])
    def test_error_pages_name_the_request(self, code):
        request = request_of()
        request.id = "0f3c9e"
        html = render(f'{{% include "errors/{code}.html" %}}', request=request)
        assert "0f3c9e" in html
        assert html.count("<h1>") == 1

    def test_title_counts_open_critical_alerts(self):
        html = render('{% include "base.html" %}', frame={"open_critical": 3}, request=request_of())
        assert re.search(r"<title>\(3\) ", html)
        assert "favicon-alert" in html


@pytest.mark.static
class TestFiles:
    def test_vendored_files_are_what_the_list_says(self):
        listed = {}
        for entry in json.loads((STATIC / "vendor" / "VERSIONS.json").read_text()):
            assert entry["version"] and entry["licence"]
            listed |= entry["sha256"]
        found = {
            str(path.relative_to(STATIC / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (STATIC / "vendor").rglob("*")
            if path.is_file() and path.name != "VERSIONS.json"
        }
        assert found == listed

    @pytest.mark.parametrize(
        ("names", "limit"),
        [
            (["app.css"], 8),
            (["js/ui.js", "js/live.js", "js/charts.js"], 12),  # what most pages load
            (["vendor/icons.svg"], 15),
            (["vendor/world.svg"], 34),
        ],
        ids=["style", "scripts", "icons", "world"],
    )
    def test_weight(self, names, limit):
        assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names) <= limit * 1024

    def test_weight_of_what_one_page_adds(self):
        for path in {*STATIC.glob("js/*.js"), *STATIC.glob("*.css")} - {STATIC / "js/charts.js", STATIC / "app.css"}:
            assert len(gzip.compress(path.read_bytes())) <= 4 * 1024, path

    def test_nothing_is_loaded_from_elsewhere(self):
        """Neither our files nor the style sheets and drawings we ship; the scripts name namespaces and manuals only."""
        files = [
            *(ROOT / "templates").rglob("*.html"),
            *(STATIC / "js").glob("*.js"),
            *STATIC.rglob("*.css"),
            *STATIC.rglob("*.svg"),
        ]
        for path in files:
            addresses = set(
                re.findall(r"https?://[\w.-]+", re.sub(r"/\*!.*?\*/", "", path.read_text(), flags=re.DOTALL))
            )
            # The name of a namespace, and the example in empty fields: nobody loads either.
            assert addresses <= {"http://www.w3.org", "https://example.org"}, path
