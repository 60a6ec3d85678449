"""A folium page that asks nothing of the network: the map, its sheet, and everything they load, in one file.

folium renders what a macro gives as a template a second time, so a place called `{{ ... }}` would run as code: every
text that is not ours goes in through `inert_html` or `inert_json`, which leave no brace that a template could see.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import folium
from branca.element import Element, Figure, MacroElement
from folium.map import Layer, LayerControl
from folium.template import Template

from geolabel.view import inline
from geolabel.view.warp import Corners

CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:"
)
"""Forbids a browser every request, whatever a page holds."""


_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCRIPT_SAFE = {"{": "\\u007b", "}": "\\u007d", "<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def inert_json(value: Any) -> str:
    """JSON that is data wherever it is put: within its texts no brace, no angle bracket, no ampersand."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return _TEXT.sub(lambda found: re.sub("[{}<>&]", lambda sign: _SCRIPT_SAFE[sign[0]], found[0]), text)


def inert_html(text: str) -> str:
    """HTML whose braces are written as character references: a browser shows them, a template does not see them."""
    return text.replace("{", "&#123;").replace("}", "&#125;")


class Page(Figure):
    """A folium figure with a language, a title, and the third-party files inside."""

    _template = Template(
        "<!DOCTYPE html>\n"
        '<html lang="{{ this.lang }}">\n'
        "<head>\n"
        '<meta charset="utf-8">\n'
        "{% if this.sealed %}"
        '<meta http-equiv="Content-Security-Policy" content="{{ this.policy }}">\n'
        "{% endif %}"
        "<title>{{ this.title|e }}</title>\n"
        '<link rel="icon" href="data:,">\n'
        "{% for name, code in this.styles %}"
        '<style data-asset="{{ name }}">{{ code }}</style>\n'
        "{% endfor %}"
        "{% for name, code in this.scripts %}"
        '<script data-asset="{{ name }}">{{ code }}</script>\n'
        "{% endfor %}"
        "<script>{{ this.default_icon }}</script>\n"
        "{{ this.header.render(**kwargs) }}\n"
        "</head>\n"
        "<body>\n"
        "{{ this.html.render(**kwargs) }}\n"
        "<script>\n{{ this.script.render(**kwargs) }}\n</script>\n"
        "</body>\n"
        "</html>\n"
    )

    def __init__(self, title: str, *, lang: str = "en", sealed: bool = False) -> None:
        super().__init__(title=title, height="680px")
        self.lang = lang
        self.sealed = sealed
        self.policy = CONTENT_POLICY
        self.header._children.clear()
        self.styles = [(name, inline.style(name)) for name in inline.STYLES]
        self.styles.append(("rotations", inline.rotations()))
        self.scripts = [(name, inline.script(name)) for name in inline.SCRIPTS]
        self.default_icon = inline.default_icon()


class OfflineMap(folium.Map):
    """A `folium.Map` whose page loads nothing; ordinary folium objects may be added to it."""

    default_js: ClassVar[list[tuple[str, str]]] = []
    default_css: ClassVar[list[tuple[str, str]]] = []

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <script>
                L_NO_TOUCH = {{ this.global_switches.no_touch|tojson }};
                L_DISABLE_3D = {{ this.global_switches.disable_3d|tojson }};
            </script>
            <style>{{ this.css }}</style>
        {% endmacro %}

        {% macro html(this, kwargs) %}
            {{ this.before_html }}
            <div class="folium-map" id={{ this.get_name()|tojson }} role="application"
                 aria-label="{{ this.label }}"></div>
            {{ this.after_html }}
        {% endmacro %}

        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
                center: {{ this.location|tojson }},
                crs: L.CRS.{{ this.crs }},
                ...{{ this.options|tojavascript }}
            });
            {{ this.get_name() }}.attributionControl.setPrefix(false);
            L.control.scale({maxWidth: 140}).addTo({{ this.get_name() }});
            {%- for name, height in this.panes %}
            {{ this.get_name() }}.createPane({{ name|tojson }}).style.zIndex = {{ height }};
            {%- endfor %}
        {% endmacro %}
        """
    )

    def __init__(self, location: tuple[float, float], **options: Any) -> None:
        super().__init__(location=location, tiles=None, **options)
        self.css = ""
        self.before_html = ""
        self.after_html = ""
        self.label = "Map"
        self.panes: tuple[tuple[str, int], ...] = ()

    def render(self, **kwargs: Any) -> None:
        """Render with the layer control and our own script last, so that layers added later are in them."""
        controls = [name for name, child in self._children.items() if isinstance(child, LayerControl)]
        for name in controls[:-1]:
            del self._children[name]
        last = [*controls[-1:], *(name for name, child in self._children.items() if isinstance(child, Script))]
        for name in last:
            self._children.move_to_end(name)
        super().render(**kwargs)


class Shapes(Layer):
    """GeoJSON geometries, drawn once for each style from below (a halo) to above (its line); no popup, no event."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.layerGroup({{ this.styles }}.map(function (style) {
                return L.geoJSON({{ this.data }}, {interactive: false, pane: {{ this.pane|tojson }}, style: style});
            }));
        {% endmacro %}
        """
    )

    def __init__(
        self, geometries: list[dict[str, Any]], styles: list[dict[str, Any]], *, name: str, pane: str, **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self._name = "Shapes"
        self.data = inert_json({"type": "GeometryCollection", "geometries": geometries})
        self.styles = inert_json(styles)
        self.pane = pane


class Marks(Layer):
    """Marks at points: `at` (lat, lon), `html`, `kind` (a CSS class), `title` for assistive technology, `popup` (HTML)."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.layerGroup({{ this.marks }}.map(function (mark) {
                var icon = L.divIcon({className: 'gl-mark ' + mark.kind, html: mark.html, iconSize: null});
                var asked = Boolean(mark.popup);
                var marker = L.marker(mark.at, {icon: icon, interactive: asked, keyboard: asked});
                marker.on('add', function () {
                    if (asked) { marker.getElement().setAttribute('aria-label', mark.title); }
                });
                return asked ? marker.bindPopup(mark.popup, {maxWidth: 280}) : marker;
            }));
        {% endmacro %}
        """
    )

    def __init__(self, marks: list[dict[str, Any]], *, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self._name = "Marks"
        self.marks = inert_json(marks)


class Script(MacroElement):
    """Our own script: hours, graticule, coordinates, expiry, print."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            {{ this.code }}
            geolabelPage({{ this._parent.get_name() }}, {
                settings: {{ this.settings }},
                fills: [{% for fill in this.fills %}{{ fill.get_name() }}{% if not loop.last %}, {% endif %}{% endfor %}],
                graticule: {{ this.graticule.get_name() }}
            });
        {% endmacro %}
        """
    )

    def __init__(self, code: str, settings: dict[str, Any], *, fills: list[Any], graticule: Any) -> None:
        super().__init__()
        self._name = "Script"
        self.code = code
        self.settings = inert_json(settings)
        self.fills = fills
        self.graticule = graticule


def steady_names(root: Element, prefix: str) -> None:
    """Give every element a name that follows from its place, so that equal maps give equal files."""
    for number, element in enumerate(_walk(root)):
        element._id = f"{prefix}{number:05d}"


def _walk(element: Element) -> list[Element]:
    found = [element]
    for part in ("html", "script", "header"):
        inner = getattr(element, part, None)
        if isinstance(inner, Element):
            found += _walk(inner)
    for child in element._children.values():
        found += _walk(child)
    return found


def image(data_uri: str, corners: Corners, **options: Any) -> folium.raster_layers.ImageOverlay:
    """A picture between two corners, resampled by the browser as photographs are."""
    (south, west), (north, east) = corners
    return folium.raster_layers.ImageOverlay(data_uri, [[south, west], [north, east]], pixelated=False, **options)
