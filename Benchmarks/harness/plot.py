"""Plots as SVG, drawn by hand."""

import math
from xml.sax.saxutils import escape

# Told apart by the colour-blind too (Okabe and Ito).
COLOURS = {"swift": "#d55e00", "node": "#009e73", "python": "#0072b2", "floor": "#777777"}
FONT = "font-family='Helvetica, Arial, sans-serif'"


def number(value):
    """Three digits, as people write them."""
    if value == 0:
        return "0"
    if value >= 1000:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 2)}f}"


def short(value):
    """1000 as 1k, for axes."""
    for size, suffix in ((10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


class Drawing:
    def __init__(self, width, height):
        self.size = (width, height)
        self.parts = []

    def text(self, x, y, text, size=12, anchor="start", colour="#222222", weight="normal"):
        self.parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' "
            f"fill='{colour}'>{escape(text)}</text>"
        )

    def line(self, x1, y1, x2, y2, colour="#dddddd", width=1):
        self.parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'/>"
        )

    def path(self, points, colour, dashed=False):
        route = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = " stroke-dasharray='5 4'" if dashed else ""
        self.parts.append(f"<polyline points='{route}' fill='none' stroke='{colour}' stroke-width='2'{dash}/>")

    def dot(self, x, y, colour, radius=5):
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{colour}'/>")

    def write(self, path):
        width, height = self.size
        with open(path, "w") as file:
            file.write(
                f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
                f"height='{height}'>\n<rect width='{width}' height='{height}' fill='#ffffff'/>\n"
            )
            file.write("\n".join(self.parts) + "\n</svg>\n")


def dots(path, title, unit, rows, legend):
    """A row for each case, a dot for each server, on a logarithmic scale. `rows` holds (label, {key: value})."""
    left, right, top, step = 290, 40, 92, 40
    width, height = 900, top + step * len(rows) + 46
    drawing = Drawing(width, height)
    values = [value for _, row in rows for value in row.values() if value > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def place(value):
        return left + (math.log10(value) - low) / (high - low) * (width - left - right)

    drawing.text(20, 30, title, 17, weight="bold")
    x = 20
    for key, label in legend:
        drawing.dot(x + 5, 52, COLOURS[key])
        drawing.text(x + 15, 56, label)
        x += 45 + 7 * len(label)
    bottom = top + step * len(rows) - 8
    for power in range(low, high + 1):
        for factor in (1, 2, 5):
            value = factor * 10**power
            if value > 10**high:
                break
            drawing.line(place(value), top - 14, place(value), bottom, "#cccccc" if factor == 1 else "#eeeeee")
            drawing.text(place(value), bottom + 16, short(value), 11, "middle", "#555555")
    drawing.text((left + width - right) / 2, bottom + 34, unit, 12, "middle", "#555555")
    for index, (label, row) in enumerate(rows):
        y = top + step * index + 8
        drawing.text(left - 14, y + 4, label, 13, "end")
        drawing.line(left, y, width - right, y, "#eeeeee")
        # Labels of dots that lie close together stand above and below in turns.
        previous, above = None, True
        for key, value in sorted(row.items(), key=lambda item: item[1]):
            above = not above if previous is not None and place(value) - previous < 34 else True
            previous = place(value)
            drawing.dot(place(value), y, COLOURS[key])
            drawing.text(place(value), y - 9 if above else y + 18, number(value), 11, "middle", COLOURS[key])
    drawing.write(path)


def panels(path, title, charts):
    """Line charts, two in a row. A chart is (title, label of x, lines); a line is (label, colour, dashed, points). x is
    logarithmic, y begins at 0, so that what is flat looks flat."""
    width, panel_height, margin = 900, 300, 62
    height = 56 + panel_height * ((len(charts) + 1) // 2)
    drawing = Drawing(width, height)
    drawing.text(20, 32, title, 17, weight="bold")
    for index, (heading, x_label, lines) in enumerate(charts):
        left = (index % 2) * width / 2 + margin
        right = (index % 2 + 1) * width / 2 - 24
        top = 56 + (index // 2) * panel_height + 40
        bottom = top + panel_height - 130
        drawing.text(left - 40, top - 18, heading, 13, weight="bold")
        points = [point for *_, line in lines for point in line]
        first, last = (f(math.log10(x) for x, _ in points) for f in (min, max))
        step, most = _steps(max(y for _, y in points))

        def place(x, y):
            share = (math.log10(x) - first) / (last - first or 1)
            return left + share * (right - left), bottom - y / most * (bottom - top)

        for tick in range(round(most / step) + 1):
            y = place(10**first, tick * step)[1]
            drawing.line(left, y, right, y, "#bbbbbb" if tick == 0 else "#e6e6e6")
            drawing.text(left - 8, y + 4, f"{tick * step:,.6g}", 11, "end", "#555555")
        for x in sorted({x for x, _ in points}):
            drawing.text(place(x, 0)[0], bottom + 16, short(x), 11, "middle", "#555555")
        drawing.text((left + right) / 2, bottom + 33, x_label, 12, "middle", "#555555")
        x = left - 40
        for label, colour, dashed, line in lines:
            drawing.path([place(*point) for point in line], colour, dashed)
            for point in line:
                drawing.dot(*place(*point), colour, 3.5)
            drawing.path([(x, bottom + 51), (x + 22, bottom + 51)], colour, dashed)
            drawing.text(x + 28, bottom + 55, label, 12)
            x += 50 + 6.6 * len(label)
    drawing.write(path)


def _steps(largest):
    """The distance of the lines across, and where they end."""
    size = 10 ** math.floor(math.log10(largest))
    step = next(size * factor for factor in (0.2, 0.5, 1, 2) if size * factor * 6 >= largest)
    return step, step * math.ceil(largest * 1.05 / step)
