// Structure viewer: shaded balls and sticks on a canvas, sorted by depth, orthographic.
"use strict";
(() => {
  const source = document.getElementById("viewer-data");
  if (!source) return;
  const scenes = [].concat(JSON.parse(source.textContent));
  const canvas = document.getElementById("viewer-canvas");
  const context = canvas.getContext("2d");
  const status = document.getElementById("viewer-status");
  const layerChoice = document.getElementById("viewer-layer");
  const cutChoice = document.getElementById("viewer-cut");
  const sceneChoice = document.getElementById("viewer-scene");
  const elementButtons = document.getElementById("viewer-elements");
  const start = rotate(rotate(identity(), 0, 0.4), -1.24, 0, true);
  const view = { turn: start, zoom: 1, cut: 0, layer: -1, hidden: new Set() };
  const DEPTH_SHADES = 8;
  const BUCKETS = 2048;
  const STEP = Math.PI / 24;
  const BAR_LENGTHS_NM = [0.1, 0.2, 0.5, 1, 2, 5, 10];
  const STICK_RADIUS = 0.13;
  let scene = scenes[0];
  let count = 0; // atoms
  let items = 0; // atoms, then sticks
  let projected = new Float32Array(0);
  let order = new Uint32Array(0);
  let bucketOf = new Uint16Array(0);
  let sprites = new Map();
  let pending = false;
  let reach = 0;

  function measure() {
    count = scene.element.length;
    items = count + scene.stick_atom.length;
    projected = new Float32Array(3 * items);
    order = new Uint32Array(items);
    bucketOf = new Uint16Array(items);
    sprites = new Map();
    reach = 0;
    for (let i = 0; i < count; i++) {
      reach = Math.max(reach, Math.hypot(...scene.position.slice(3 * i, 3 * i + 3)));
    }
    reach += Math.max(...scene.elements.map((element) => element.radius));
    for (const corner of cellCorners()) reach = Math.max(reach, Math.hypot(...corner));
  }

  // Corner n of the cell is its origin and those vectors whose bit is set in n.
  function cellCorners() {
    if (!scene.cell.length) return [];
    const [origin, ...vectors] = scene.cell;
    return [...Array(8).keys()].map((bits) =>
      origin.map((value, axis) =>
        vectors.reduce((sum, vector, k) => sum + (bits & (1 << k) ? vector[axis] : 0), value),
      ),
    );
  }

  function identity() {
    return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  }

  // Turns about the screen's x axis, then about its y axis; about z instead of y at the start.
  function rotate(matrix, aboutX, aboutOther, otherIsZ = aboutX === 0) {
    const multiply = (left, right) =>
      [0, 1, 2].flatMap((row) =>
        [0, 1, 2].map((column) =>
          [0, 1, 2].reduce((sum, k) => sum + left[3 * row + k] * right[3 * k + column], 0),
        ),
      );
    const [cx, sx] = [Math.cos(aboutX), Math.sin(aboutX)];
    const [co, so] = [Math.cos(aboutOther), Math.sin(aboutOther)];
    const other = otherIsZ ? [co, -so, 0, so, co, 0, 0, 0, 1] : [co, 0, so, 0, 1, 0, -so, 0, co];
    return multiply(other, multiply([1, 0, 0, 0, cx, -sx, 0, sx, cx], matrix));
  }

  function cssColor(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function blend(color, toward, share) {
    const parse = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
    const [from, to] = [parse(color), parse(toward)];
    return from.map((value, i) => Math.round(value + share * (to[i] - value)));
  }

  // A ball of one element, depth and kind, drawn once and then copied for each atom.
  function sprite(element, shade, frozen, pixels) {
    const key = `${element}/${shade}/${frozen}`;
    if (sprites.has(key)) return sprites.get(key);
    const radius = scene.elements[element].radius * pixels;
    const size = Math.max(2, Math.ceil(2 * radius) + 2);
    const ball = document.createElement("canvas");
    ball.width = ball.height = size;
    const brush = ball.getContext("2d");
    const share = (0.5 * shade) / (DEPTH_SHADES - 1);
    const base = blend(scene.elements[element].color, cssColor("--panel"), share);
    const mix = (toward, amount) =>
      `rgb(${base.map((value) => Math.round(value + amount * (toward - value))).join()})`;
    const middle = size / 2;
    const light = brush.createRadialGradient(
      middle - 0.35 * radius, middle - 0.4 * radius, 0.05 * radius, middle, middle, radius,
    );
    light.addColorStop(0, mix(255, 0.65));
    light.addColorStop(0.35, mix(255, 0.05));
    light.addColorStop(1, mix(0, 0.5));
    brush.fillStyle = light;
    brush.beginPath();
    brush.arc(middle, middle, radius, 0, 2 * Math.PI);
    brush.fill();
    if (frozen) {
      brush.strokeStyle = "#ffffff";
      brush.lineWidth = Math.max(1, 0.14 * radius);
      brush.beginPath();
      brush.arc(middle, middle, 0.55 * radius, 0, 2 * Math.PI);
      brush.stroke();
    }
    sprites.set(key, ball);
    return ball;
  }

  // Counting sort by depth, farthest first: linear in the number of atoms.
  function sortByDepth(low, high) {
    const starts = new Uint32Array(BUCKETS + 1);
    const scale = (BUCKETS - 1) / Math.max(high - low, 1e-9);
    for (let i = 0; i < items; i++) {
      bucketOf[i] = Math.round((projected[3 * i + 2] - low) * scale);
      starts[bucketOf[i] + 1]++;
    }
    for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket];
    for (let i = 0; i < items; i++) order[starts[bucketOf[i]]++] = i;
  }

  function isShownUp(i) {
    if (view.layer === -1) return true;
    if (view.layer === -2) return scene.frozen[i] === 1;
    return scene.layer[i] === view.layer;
  }

  function project() {
    const [a, b, c, d, e, f, g, h, k] = view.turn;
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < count; i++) {
      const x = scene.position[3 * i];
      const y = scene.position[3 * i + 1];
      const z = scene.position[3 * i + 2];
      projected[3 * i] = a * x + b * y + c * z;
      projected[3 * i + 1] = d * x + e * y + f * z;
      const depth = g * x + h * y + k * z;
      projected[3 * i + 2] = depth;
      low = Math.min(low, depth);
      high = Math.max(high, depth);
    }
    for (let stick = 0; stick < items - count; stick++) {
      const from = 3 * scene.stick_atom[stick];
      const [x, y, z] = scene.stick.slice(3 * stick, 3 * stick + 3);
      const to = 3 * (count + stick);
      projected[to] = projected[from] + a * x + b * y + c * z;
      projected[to + 1] = projected[from + 1] + d * x + e * y + f * z;
      // A stick stands in the order of depth where its middle is.
      projected[to + 2] = projected[from + 2] + 0.5 * (g * x + h * y + k * z);
    }
    return [low, high];
  }

  function stickColor(element, shade) {
    const key = `stick/${element}/${shade}`;
    if (!sprites.has(key)) {
      const share = (0.5 * shade) / (DEPTH_SHADES - 1);
      const base = blend(scene.elements[element].color, cssColor("--panel"), share);
      sprites.set(key, `rgb(${base.map((value) => Math.round(0.85 * value)).join()})`);
    }
    return sprites.get(key);
  }

  function paintStick(item, shade, pixels, width, height) {
    const atom = scene.stick_atom[item - count];
    const place = (i) => [
      0.5 * width + pixels * projected[3 * i],
      0.5 * height - pixels * projected[3 * i + 1],
    ];
    context.strokeStyle = stickColor(scene.element[atom], shade);
    context.lineWidth = Math.max(1, 2 * STICK_RADIUS * pixels);
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...place(atom));
    context.lineTo(...place(item));
    context.stroke();
  }

  // Edges of the cell behind its middle before the atoms, those in front of it after them.
  function paintCell(front, pixels, width, height) {
    const corners = cellCorners();
    const [a, b, c, d, e, f, g, h, k] = view.turn;
    context.strokeStyle = cssColor("--muted");
    context.lineWidth = Math.max(1, width / 700);
    context.setLineDash([6, 5]);
    corners.forEach(([x, y, z], from) => {
      for (const bit of [1, 2, 4]) {
        if (from & bit) continue;
        const [u, v, w] = corners[from | bit];
        const ahead = g * (x + u) + h * (y + v) + k * (z + w) > 0;
        if (ahead !== front) continue;
        context.beginPath();
        for (const [p, q, r] of [[x, y, z], [u, v, w]]) {
          context.lineTo(
            0.5 * width + pixels * (a * p + b * q + c * r),
            0.5 * height - pixels * (d * p + e * q + f * r),
          );
        }
        context.stroke();
      }
    });
    context.setLineDash([]);
  }

  function paint() {
    pending = false;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      sprites = new Map();
    }
    const pixels = (view.zoom * 0.47 * Math.min(width, height)) / reach;
    const [low, high] = project();
    sortByDepth(low, high);
    const span = Math.max(high - low, 1e-9);
    const front = high - view.cut * span;
    context.clearRect(0, 0, width, height);
    paintCell(false, pixels, width, height);
    for (let place = 0; place < items; place++) {
      const i = order[place];
      const atom = i < count ? i : scene.stick_atom[i - count];
      const depth = projected[3 * i + 2];
      if (depth > front || view.hidden.has(scene.element[atom])) continue;
      const shade = Math.round(((DEPTH_SHADES - 1) * Math.max(0, high - depth)) / span);
      if (i >= count) {
        context.globalAlpha = isShownUp(atom) ? 1 : 0.07;
        paintStick(i, shade, pixels, width, height);
        continue;
      }
      const ball = sprite(scene.element[i], shade, scene.frozen[i], pixels);
      context.globalAlpha = isShownUp(i) ? 1 : 0.07;
      context.drawImage(
        ball,
        0.5 * width + pixels * projected[3 * i] - 0.5 * ball.width,
        0.5 * height - pixels * projected[3 * i + 1] - 0.5 * ball.height,
      );
    }
    context.globalAlpha = 1;
    paintCell(true, pixels, width, height);
    paintScaleBar(width, height, 10 * pixels, ratio);
  }

  function paintScaleBar(width, height, pixelsPerNm, ratio) {
    const fitting = BAR_LENGTHS_NM.filter((length) => length * pixelsPerNm < 0.3 * width);
    const length = fitting.length ? fitting[fitting.length - 1] : BAR_LENGTHS_NM[0];
    const left = 14 * ratio;
    const bottom = height - 14 * ratio;
    context.fillStyle = cssColor("--ink");
    context.fillRect(left, bottom, length * pixelsPerNm, 4 * ratio);
    context.font = `${13 * ratio}px system-ui, sans-serif`;
    context.textBaseline = "bottom";
    context.fillText(`${length} nm`, left, bottom - 3 * ratio);
  }

  function repaint() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(paint);
  }

  function turn(aboutX, aboutY) {
    view.turn = rotate(view.turn, aboutX, aboutY, false);
    repaint();
  }

  function zoom(factor) {
    view.zoom = Math.min(12, Math.max(0.4, view.zoom * factor));
    sprites = new Map();
    repaint();
  }

  function reset() {
    view.turn = start;
    view.cut = 0;
    cutChoice.value = "0";
    view.zoom = 1;
    zoom(1);
  }

  function describe() {
    const shown =
      view.layer === -1
        ? "All layers"
        : view.layer === -2
          ? `Atoms held fixed: ${scene.frozen.reduce((sum, one) => sum + one, 0)}`
          : `${scene.layers[view.layer].name}: ${scene.layers[view.layer].count} atoms`;
    const missing =
      scene.drawn < scene.total
        ? ` Of ${scene.total} atoms the ${scene.drawn} near the surface are drawn.`
        : "";
    const ringed = scene.frozen.includes(1) ? " A white ring marks atoms held fixed." : "";
    status.textContent = `${shown}.${missing}${ringed}`;
  }

  function offerChoices() {
    view.hidden = new Set();
    view.layer = -1;
    elementButtons.replaceChildren(...scene.elements.map(makeElementButton));
    const choices = [[-1, "all layers"], ...scene.layers.map(({ name }, index) => [index, name])];
    if (scene.frozen.includes(1)) choices.push([-2, "atoms held fixed"]);
    layerChoice.replaceChildren(...choices.map(([value, name]) => new Option(name, String(value))));
  }

  function makeElementButton(element, index) {
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    swatch.className = "swatch";
    swatch.style.background = element.color;
    button.append(swatch, `${element.symbol} (${element.count})`);
    button.addEventListener("click", () => {
      if (!view.hidden.delete(index)) view.hidden.add(index);
      button.setAttribute("aria-pressed", String(!view.hidden.has(index)));
      repaint();
    });
    return button;
  }

  function show(index) {
    scene = scenes[index];
    measure();
    offerChoices();
    describe();
    repaint();
  }

  if (sceneChoice) {
    scenes.forEach(({ name }, index) => sceneChoice.append(new Option(name, String(index))));
    sceneChoice.addEventListener("change", () => show(Number(sceneChoice.value)));
  }
  layerChoice.addEventListener("change", () => {
    view.layer = Number(layerChoice.value);
    describe();
    repaint();
  });
  cutChoice.addEventListener("input", () => {
    view.cut = Number(cutChoice.value) / 100;
    repaint();
  });
  const actions = { in: () => zoom(1.25), out: () => zoom(0.8), reset };
  document.querySelectorAll("[data-view]").forEach((button) =>
    button.addEventListener("click", actions[button.dataset.view]),
  );
  const keys = {
    ArrowLeft: () => turn(0, -STEP),
    ArrowRight: () => turn(0, STEP),
    ArrowUp: () => turn(-STEP, 0),
    ArrowDown: () => turn(STEP, 0),
    "+": actions.in,
    "=": actions.in,
    "-": actions.out,
    0: reset,
    Home: reset,
  };
  canvas.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  const pointers = new Map();
  const spread = () => {
    const [first, second] = [...pointers.values()];
    return Math.hypot(first.x - second.x, first.y - second.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const before = pointers.size === 2 ? spread() : 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 2) {
      zoom(spread() / Math.max(before, 1));
    } else if (pointers.size === 1) {
      const speed = Math.PI / Math.max(canvas.clientWidth, 1);
      turn(speed * (event.clientY - last.y), speed * (event.clientX - last.x));
    }
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      zoom(Math.exp(-0.0015 * event.deltaY));
    },
    { passive: false },
  );
  new ResizeObserver(repaint).observe(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => zoom(1));
  show(0);
})();
