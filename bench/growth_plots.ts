/**
 * Pictures of what growth_bench.ts measured: `deno run -A bench/growth_plots.ts`. Reads flows.json,
 * objects.json and developers.json in results, as far as they are there, and writes flows.svg and so on
 * beside this file.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import * as echarts from "echarts";
import type { DevelopersRow } from "./measure_developers.ts";
import type { FlowsRow } from "./measure_flows.ts";
import type { ObjectsRow } from "./measure_objects.ts";

const FONT = "system-ui, sans-serif";
const WIDTH = 900;
const PANEL_HEIGHT = 260;
/** Room for the legend. */
const TOP = 40;
/** Distinct also for who sees fewer colours (Okabe and Ito). */
const COLORS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];

/** One of the small pictures: a line for each name, over the same x. */
interface Panel {
  readonly title: string;
  readonly isLog?: boolean;
  /** Undefined where it was not measured. */
  readonly value: (name: string, x: number) => number | undefined;
}

await plotIfThere("flows", plotFlows);
await plotIfThere("objects", plotObjects);
await plotIfThere("developers", plotDevelopers);

async function plotIfThere<Row>(
  name: string,
  plot: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  const file = new URL(`results/${name}.json`, import.meta.url);
  if (!existsSync(file)) return console.error(`${name} was not measured`);
  await plot(JSON.parse(await readFile(file, "utf8")).rows);
}

async function plotFlows(rows: readonly FlowsRow[]): Promise<void> {
  const of =
    (field: Exclude<keyof FlowsRow, "way">): Panel["value"] => (way, flows) =>
      rows.find((one) => one.way === way && one.flows === flows)?.[field];
  await plotLines("flows.svg", {
    names: [...new Set(rows.map(({ way }) => way))],
    x: "connections",
    values: [...new Set(rows.map(({ flows }) => flows))],
    panels: [
      { title: "laptop → cluster, MiB/s", value: of("up") },
      { title: "cluster → laptop, MiB/s", value: of("down") },
      { title: "a request, p50, ms", isLog: true, value: of("p50") },
      { title: "a request, p99, ms", isLog: true, value: of("p99") },
      { title: "memory of the client, MiB", value: of("clientMiB") },
      { title: "memory of the pod, MiB", value: of("podMiB") },
    ],
  });
}

async function plotDevelopers(rows: readonly DevelopersRow[]): Promise<void> {
  const of = (
    fields: { readonly [name: string]: keyof DevelopersRow },
  ): Panel["value"] =>
  (name, developers) => {
    const field = fields[name];
    const row = rows.find((one) => one.developers === developers);
    return field && row?.[field];
  };
  const [everybody, joined] = ["unmarked requests", "the last developer's"];
  const [client, pod] = ["a client", "its Shadow Pod's agent"];
  await plotLines("developers.svg", {
    names: [everybody, joined, client, pod],
    x: "developers",
    values: rows.map(({ developers }) => developers),
    panels: [
      { title: "Enter to ready, ms", value: of({ [joined]: "readyMs" }) },
      {
        title: "memory, MiB",
        value: of({ [client]: "clientMiB", [pod]: "podMiB" }),
      },
      {
        title: "a request, p50, ms",
        value: of({ [everybody]: "p50", [joined]: "markedP50" }),
      },
      {
        title: "a request, p99, ms",
        value: of({ [everybody]: "p99", [joined]: "markedP99" }),
      },
    ],
  });
}

async function plotLines(
  file: string,
  { names, x, values, panels }: {
    names: readonly string[];
    x: string;
    values: readonly number[];
    panels: readonly Panel[];
  },
): Promise<void> {
  const lines = Math.ceil(panels.length / 2);
  const place = (i: number) => ({
    left: i % 2 === 0 ? 60 : WIDTH / 2 + 60,
    width: WIDTH / 2 - 90,
    top: TOP + Math.floor(i / 2) * PANEL_HEIGHT + 50,
    height: PANEL_HEIGHT - 110,
  });
  await write(file, TOP + lines * PANEL_HEIGHT, {
    legend: { top: 10, itemGap: 40, data: [...names] },
    title: panels.map(({ title }, i) => ({
      text: title,
      left: place(i).left,
      top: place(i).top - 34,
      textStyle: { fontSize: 13, fontWeight: "normal" },
    })),
    grid: panels.map((_, i) => place(i)),
    xAxis: panels.map((_, i) => ({
      gridIndex: i,
      type: "category",
      data: values.map(String),
      name: x,
      nameLocation: "middle",
      nameGap: 24,
      boundaryGap: false,
    })),
    yAxis: panels.map(({ isLog = false }, i) => ({
      gridIndex: i,
      type: isLog ? "log" : "value",
    })),
    series: panels.flatMap(({ value }, i) =>
      names.map((name) => ({
        name,
        type: "line",
        xAxisIndex: i,
        yAxisIndex: i,
        data: values.map((one) => value(name, one) ?? null),
      }))
    ),
  });
}

async function plotObjects(rows: readonly ObjectsRow[]): Promise<void> {
  const what = [...new Set(rows.map((row) => row.what))].toReversed();
  const sizes = [...new Set(rows.map(({ services }) => services))];
  const nameOf = (services: number) => {
    const { pods } = rows.find((row) => row.services === services)!;
    return services === 0
      ? "an empty namespace"
      : `${services} Services, ${pods} Pods`;
  };
  await write("objects.svg", TOP + what.length * 44 + 50, {
    legend: { top: 10, itemGap: 40, data: sizes.map(nameOf) },
    grid: { left: 240, right: 40, top: TOP + 10, bottom: 45 },
    xAxis: { type: "value", name: "ms", nameLocation: "middle", nameGap: 26 },
    yAxis: { type: "category", data: what },
    series: sizes.map((services) => ({
      name: nameOf(services),
      type: "bar",
      color: COLORS[sizes.indexOf(services)],
      label: { show: true, position: "right", formatter: rounded },
      data: what.map((name) =>
        rows.find((row) => row.what === name && row.services === services)?.ms
      ),
    })),
  });
}

function rounded({ value }: { value?: unknown }): string {
  return Math.round(Number(value)).toString();
}

async function write(
  name: string,
  height: number,
  option: echarts.EChartsCoreOption,
): Promise<void> {
  const size = { width: WIDTH, height };
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    ...size,
  });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    color: COLORS,
    textStyle: { fontFamily: FONT },
    ...option,
  });
  await writeFile(new URL(name, import.meta.url), chart.renderToSVGString());
  chart.dispose();
}
