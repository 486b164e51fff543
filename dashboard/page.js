// What Shiny's own client has no part for: plots by ECharts, picking from them, a remembered theme, a lost connection.
import { BarChart, HeatmapChart, LineChart, SankeyChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, HeatmapChart, LineChart, SankeyChart, GridComponent, LegendComponent]);
echarts.use([TooltipComponent, VisualMapComponent, SVGRenderer, CanvasRenderer]);
$.fn.datepicker ??= $.fn.bsDatepicker; // Debian's calendar looks for itself by the name Shiny takes away
const root = document.documentElement;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const colour = (name) => getComputedStyle(root).getPropertyValue(`--plot-${name}`).trim();
// Names come out of visitors' browsers, and a tooltip is HTML.
const tip = (at) =>
  [at]
    .flat()
    .flatMap(({ data }) => (data?.tip ? echarts.format.encodeHTML(data.tip) : []))
    .join("<br>");
const pick = (value) => value && Shiny.setInputValue("pick", value, { priority: "event" });

function theme() {
  const [text, line, panel] = [colour("text"), colour("line"), colour("panel")];
  const axis = {
    axisLabel: { color: text },
    axisLine: { lineStyle: { color: line } },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    color: [1, 2, 3, 4, 5, 6].map(colour),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    categoryAxis: axis,
    valueAxis: axis,
    legend: { textStyle: { color: text } },
    tooltip: { backgroundColor: panel, borderColor: line, textStyle: { color: text } },
    visualMap: { textStyle: { color: text } },
    sankey: {
      itemStyle: { color: colour(1) },
      lineStyle: { color: colour(6) },
      label: { color: text, textBorderWidth: 0 },
    },
  };
}

/** What R cannot write down: functions, and what depends on the room there is. */
function complete({ option, unit }, { clientWidth }) {
  const style = unit === "share" ? { style: "percent", maximumFractionDigits: 1 } : { notation: "compact" };
  const write = new Intl.NumberFormat(root.lang, style);
  for (const axis of [option.xAxis, option.yAxis])
    if (axis?.type === "value")
      axis.axisLabel = { formatter: (n) => write.format(n), hideOverlap: true, ...axis.axisLabel };
    else if (axis?.names)
      axis.axisLabel = { width: Math.min(190, clientWidth * 0.36), overflow: "truncate", ...axis.axisLabel };
  for (const series of option.series)
    if (series.type === "sankey") series.label = { width: clientWidth / 5, overflow: "truncate" };
  if (option.visualMap) option.visualMap.inRange = { color: [colour("none"), colour(1)] };
  if (option.tooltip)
    option.tooltip = {
      confine: true,
      transitionDuration: 0,
      formatter: tip,
      extraCssText: "white-space:normal;max-width:min(22rem,80vw);overflow-wrap:anywhere",
      ...option.tooltip,
    };
  return { animation: !calm.matches, animationDuration: 250, animationDurationUpdate: 250, ...option };
}

class Plot extends Shiny.OutputBinding {
  find = (scope) => $(scope).find(".plot");
  renderValue(element, plot) {
    // not display: none, or Shiny takes it for one that nobody looks at and never asks for it again
    element.style.visibility = plot ? "" : "hidden";
    element.style.height = plot ? `${plot.height ?? element.dataset.height}px` : 0;
    if (!plot) return;
    element.setAttribute("aria-label", plot.alt);
    element.plot = plot;
    const chart = echarts.getInstanceByDom(element) ?? this.open(element);
    chart.resize();
    chart.setOption(complete(plot, element), { replaceMerge: ["series", "xAxis", "yAxis"] });
  }
  open(element) {
    const chart = echarts.init(element, theme(), { renderer: "svg" });
    chart.on("click", ({ data }) => pick(data?.pick));
    new ResizeObserver(() => chart.resize()).observe(element);
    new MutationObserver(() => chart.setTheme(theme())).observe(root, { attributeFilter: ["data-bs-theme"] });
    element.addEventListener("keydown", (event) => this.walk(event, chart, element));
    return chart;
  }
  /** The arrow keys go from one item to the next, saying each; Enter picks it. */
  walk(event, chart, element) {
    const { data } = element.plot.option.series[0];
    if (data.length === 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) element.at = ((element.at ?? -1) + step + data.length) % data.length;
    else if (event.key !== "Enter" || !data[element.at]) return;
    event.preventDefault();
    if (!step) return pick(data[element.at].pick);
    chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: element.at });
    document.querySelector("#said").textContent = data[element.at].tip;
  }
}
Shiny.outputBindings.register(new Plot(), "dashboard.plot");

function save(id) {
  const element = document.getElementById(id);
  const { clientWidth: width, clientHeight: height } = element;
  const chart = echarts.init(document.createElement("div"), theme(), {
    renderer: "canvas",
    width,
    height,
    devicePixelRatio: 3,
  });
  chart.setOption({ ...complete(element.plot, element), animation: false, backgroundColor: colour("panel") });
  Object.assign(document.createElement("a"), { href: chart.getDataURL(), download: `${id}.png` }).click();
  chart.dispose();
}

document.addEventListener("click", ({ target }) => {
  const { pick: picked, png } = target.closest?.("[data-pick], [data-png]")?.dataset ?? {};
  if (picked) pick(JSON.parse(picked));
  if (png) save(png);
});

// Words that the components say in English only, and what was chosen or seen here before.
const remembered = (key, value) => {
  try {
    return value === undefined ? localStorage.getItem(key) : localStorage.setItem(key, value);
  } catch {} // storage can be switched off
};
document.addEventListener("DOMContentLoaded", () => {
  const words = document.querySelector("#said").dataset;
  const [mode, hint] = [document.querySelector("#theme"), document.querySelector("#first-visit")];
  if (remembered("theme")) mode.setAttribute("mode", remembered("theme"));
  const name = () =>
    $(mode.shadowRoot?.querySelector("button")).attr({ "aria-label": words.theme, title: words.theme });
  $(document).on("shiny:inputchanged", ({ name: input, value }) => {
    if (input === "theme") setTimeout(name, remembered("theme", value));
  });
  setTimeout(name);
  $(".navbar-toggle .sr-only").text(words.menu);
  $(".collapse-toggle").attr({ "aria-label": words.sidebar, title: words.sidebar });
  hint.hidden = remembered("seen") === "1";
  hint.addEventListener("closed.bs.alert", () => remembered("seen", "1"));
  const tabs = $("#tab a[data-value]");
  tabs.on("keydown", ({ key, target }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step)
      tabs
        .eq((tabs.index(target) + step + tabs.length) % tabs.length)
        .trigger("focus")
        .trigger("click");
  });
  $("details").on("toggle", (event) => $(event.target).trigger("shown")); // its table is made when it is looked at
});
