"""Curves as SVG, for scripts/bench.py."""


class Plot:
    """Panels over one axis as SVG, plain enough to be written by hand.

    Each has a scale of its own, from 0 on.
    """

    WIDTH, HEIGHT, PAD = 640, 150, 60

    def __init__(self, title, across):
        self.title, self.across, self.panels = title, across, []

    def panel(self, label, points):
        self.panels.append((label, points))

    def write(self, path):
        width, height, pad = self.WIDTH, self.HEIGHT, self.PAD
        whole = 40 + len(self.panels) * height + 30
        out = [f'<text x="{pad}" y="22" font-size="13">{self.title}</text>']
        right = max(x for _, points in self.panels for x, _ in points)
        for number, (label, points) in enumerate(self.panels):
            upper, base = 60 + number * height, 40 + (number + 1) * height - 12
            top = max(y for _, y in points) * 1.1 or 1
            across = lambda x: pad + (width - 2 * pad) * x / right
            up = lambda y: base - (base - upper) * max(y, 0) / top
            for tick in (0, top / 2, top):
                y = up(tick)
                out.append(
                    f'<line x1="{pad}" y1="{y:.0f}" x2="{width - pad}" y2="{y:.0f}" stroke="#ddd"/>'
                )
                out.append(
                    f'<text x="{pad - 5}" y="{y + 4:.0f}" text-anchor="end">{tick:.3g}</text>'
                )
            for x in (right / 4, right / 2, right * 3 / 4, right):
                out.append(
                    f'<text x="{across(x):.0f}" y="{base + 12}" text-anchor="middle">{x:g}</text>'
                )
            line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
            out.append(
                f'<polyline points="{line}" fill="none" stroke="#1b6ca8" stroke-width="1.5"/>'
            )
            out += [
                f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="2" fill="#1b6ca8"/>'
                for x, y in points
            ]
            out.append(f'<text x="{pad}" y="{upper - 6}" fill="#1b6ca8">{label}</text>')
        out.append(
            f'<text x="{width / 2}" y="{whole - 8}" text-anchor="middle">{self.across}</text>'
        )
        with open(path, "w") as file:
            file.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{whole}"'
                ' font-family="sans-serif" font-size="11">'
                f'<rect width="100%" height="100%" fill="white"/>{"".join(out)}</svg>\n'
            )
