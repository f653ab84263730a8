// Draws each plot when it comes near the screen, in the colours of the page.
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("plot-data").textContent);
  const theme = JSON.parse(document.getElementById("plot-theme").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const hovers = window.matchMedia("(hover: hover)").matches;
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  const printing = window.matchMedia("print");
  const drawn = new Map();

  function colors() {
    const page = getComputedStyle(document.documentElement);
    const read = (name) => page.getPropertyValue(name).trim();
    const names = ["ink", "muted", "panel", "line", "surrogate"];
    return Object.fromEntries(names.map((name) => [name, read(`--${name}`)]));
  }

  function dress(layout) {
    const { ink, muted, panel, line, surrogate } = colors();
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: ink, color: ink };
    const annotations = layout.annotations.map((note) =>
      note.font.color === theme.surrogate
        ? { ...note, font: { ...note.font, color: surrogate } }
        : note,
    );
    // Shading is dimmed on a dark page, where light bands would glare.
    const shapes = layout.shapes.map((shape) =>
      shape.type === "rect" && dark.matches && !printing.matches
        ? { ...shape, opacity: 0.3 * shape.opacity }
        : shape,
    );
    return {
      ...layout,
      annotations,
      shapes,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, DejaVu Sans, sans-serif", size: 12, color: ink },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
      ...(layout.xaxis2 ? { xaxis2: { ...layout.xaxis2, ...axis } } : {}),
      ...(layout.yaxis2 ? { yaxis2: { ...layout.yaxis2, ...axis } } : {}),
      modebar: { bgcolor: panel, color: muted, activecolor: ink },
      dragmode: coarse ? false : "zoom",
    };
  }

  function draw(element) {
    const name = element.dataset.plot;
    if (drawn.has(name)) return drawn.get(name);
    const { data, layout } = figures[name];
    const ready = Plotly.newPlot(element, data, dress(layout), {
      responsive: true,
      displaylogo: false,
      displayModeBar: hovers ? "hover" : false,
      modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { filename: name, scale: 2 },
    });
    drawn.set(name, ready);
    return ready;
  }

  const elements = [...document.querySelectorAll("[data-plot]")];
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "600px" },
  );
  elements.forEach((element) => observer.observe(element));

  function redress() {
    for (const element of elements) {
      const name = element.dataset.plot;
      if (drawn.has(name)) Plotly.react(element, figures[name].data, dress(figures[name].layout));
    }
  }
  dark.addEventListener("change", redress);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((details) => (details.open = true));
    elements.forEach(draw);
    redress();
  });
  window.addEventListener("afterprint", redress);
})();
