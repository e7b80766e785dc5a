// Draws the hours of a scope from the figures that the page brings with it. Everything drawn is in the tables, too.
"use strict";
(() => {
  const money = (value, places = 2) => {
    if (value === null || value === undefined) return "–";
    return (value < 0 ? "-$" : "$") + Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  };
  const amounts = (_plot, values) => {
    const step = values.length > 1 ? values[1] - values[0] : 1;
    const places = step >= 1 ? 0 : Math.min(Math.ceil(-Math.log10(step)), 6);
    return values.map((value) => money(value, places === 1 ? 2 : places));
  };
  const two = (number) => String(number).padStart(2, "0");
  const utc = (seconds) => {
    const at = new Date(seconds * 1000);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:00 UTC`;
  };
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const ticks = (_plot, values) => {
    let day = null;
    return values.map((seconds) => {
      const at = new Date(seconds * 1000);
      const date = `${at.getUTCDate()} ${months[at.getUTCMonth()]}`;
      const hour = `${two(at.getUTCHours())}:00`;
      const whole = at.getUTCHours() === 0 && at.getUTCMinutes() === 0;
      const text = whole ? date : day === null || day === date ? hour : date;
      day = date;
      return text;
    });
  };
  let drawn = [];

  function draw(host) {
    const place = host.querySelector(".canvas");
    const given = JSON.parse(host.querySelector("script").textContent);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    const height = () => Math.round(host.classList.contains("small-chart") ? 180 : innerWidth < 640 ? 260 : 330);
    const longer = (values) => [...values, values[values.length - 1]];
    const paces = given.budgets.map((each) => given.at.map(() => each.pace));
    const odd = given.observed.map((value, place) => (given.odd[place] ? value : null));
    const end = given.at[given.at.length - 1] + 3600;
    // The last hour is as wide as the others.
    const floor = given.upper.map((value) => (value === null ? null : 0));
    const data = [[...given.at, end], ...[given.upper, given.expected, given.observed].map(longer), [...odd, null], longer(floor), ...paces.map(longer)];
    const seen = given.observed.filter((value) => value !== null);
    const bounds = given.upper.filter((value) => value !== null);
    const most = Math.max(0, ...seen, ...given.expected.filter((value) => value !== null));
    // A bound that is far away says nothing but that little is known: it may leave the picture.
    const top = Math.max(most * 1.08, Math.min(Math.max(0, ...bounds), most * 1.6)) || 1;
    const background = (plot) => {
      const { ctx, bbox } = plot;
      const x = (seconds) => plot.valToPos(seconds, "x", true);
      const fill = (from, to, paint) => {
        const begin = Math.max(x(from), bbox.left), end = Math.min(x(to), bbox.left + bbox.width);
        if (end > begin) { ctx.fillStyle = paint; ctx.fillRect(begin, bbox.top, end - begin, bbox.height); }
      };
      ctx.save();
      if (given.complete < given.at.length) fill(given.at[given.complete], end, colour("open"));
      given.at.forEach((at, place) => { if (given.odd[place]) fill(at, at + 3600, colour("odd-ground")); });
      ctx.restore();
    };
    const stepped = uPlot.paths.stepped({ align: 1 });
    const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const readout = host.querySelector(".readout");
    const options = {
      width: place.clientWidth, height: height(), tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      legend: { show: false }, cursor: { y: false, drag: { x: true, y: false }, points: { size: 7 } },
      scales: { x: { range: (_plot, low, high) => [low, high] }, y: { range: () => [0, top] } },
      axes: [{ ...axis, values: ticks, space: 60, size: 30, gap: 8 }, { ...axis, values: amounts, size: 62, space: 36 }],
      bands: [{ series: [1, 5], fill: colour("band") }],
      series: [
        {},
        { stroke: "transparent", width: 0, paths: stepped, points: { show: false } },
        { stroke: colour("expected"), width: 1.5, dash: [5, 4], paths: stepped, points: { show: false } },
        { stroke: colour("observed"), width: 2, paths: stepped, points: { show: false } },
        { stroke: colour("odd"), width: 0, paths: () => null, points: { show: true, size: 6, fill: colour("odd") } },
        { stroke: "transparent", width: 0, paths: stepped, points: { show: false } },
        ...paces.map(() => ({ stroke: colour("pace"), width: 1.5, dash: [2, 4], points: { show: false } })),
      ],
      hooks: {
        drawClear: [background],
        setCursor: [(plot) => {
          if (!readout) return;
          const at = plot.cursor.idx === given.at.length ? given.at.length - 1 : plot.cursor.idx;
          readout.textContent = at === null || at === undefined ? "" :
            `${utc(given.at[at])}: ${money(given.observed[at])}` +
            (given.expected[at] === null ? "" : `, expected ${money(given.expected[at])}, ordinary up to ${money(given.upper[at])}`) +
            (given.odd[at] ? ", part of an anomaly" : "") + (at >= given.complete ? ", not complete yet" : "");
        }],
      },
    };
    place.replaceChildren();
    const plot = new uPlot(options, data, place);
    place.querySelectorAll("canvas").forEach((each) => each.setAttribute("aria-hidden", "true"));
    const zoom = (factor, shift) => {
      const { min, max } = plot.scales.x, first = given.at[0], last = end;
      const length = Math.min(Math.max((max - min) * factor, 6 * 3600), last - first);
      let begin = (min + max) / 2 - length / 2 + shift * (max - min);
      begin = Math.min(Math.max(begin, first), last - length);
      plot.setScale("x", { min: begin, max: begin + length });
    };
    const acts = { in: () => zoom(0.5, 0), out: () => zoom(2, 0), left: () => zoom(1, -0.25), right: () => zoom(1, 0.25),
      all: () => plot.setScale("x", { min: given.at[0], max: end }) };
    host.querySelectorAll("button[data-act]").forEach((button) => { button.onclick = acts[button.dataset.act]; });
    const tools = host.querySelector(".tools");
    if (tools) tools.hidden = false;
    return { plot, place, height };
  }

  const all = () => {
    drawn.forEach(({ plot }) => plot.destroy());
    drawn = [...document.querySelectorAll(".chart")].map(draw);
  };
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawn.forEach(({ plot, place, height }) => plot.setSize({ width: place.clientWidth, height: height() })), 80);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  document.addEventListener("renewed", all);
  all();
})();
