/**
 * Pictures of what growth_bench.ts measured: `deno run -A bench/growth_plots.ts`. Reads results/flows.json
 * and results/objects.json, and writes flows.svg and objects.svg beside this file.
 */
import { readFile, writeFile } from "node:fs/promises";
import * as echarts from "echarts";
import type { FlowsRow } from "./measure_flows.ts";
import type { ObjectsRow } from "./measure_objects.ts";

const FONT = "system-ui, sans-serif";
const WIDTH = 900;
const PANEL_HEIGHT = 260;
/** Room for the legend. */
const TOP = 40;
/** Distinct also for who sees fewer colours (Okabe and Ito). */
const COLORS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];

/** One of the small pictures: a line for each way, over the number of connections. */
interface Panel {
  readonly title: string;
  readonly value: (row: FlowsRow) => number | undefined;
}

const PANELS: readonly Panel[] = [
  { title: "laptop → cluster, MiB/s", value: ({ up }) => up },
  { title: "cluster → laptop, MiB/s", value: ({ down }) => down },
  { title: "a request, p50, ms", value: ({ p50 }) => p50 },
  { title: "a request, p99, ms", value: ({ p99 }) => p99 },
  { title: "memory of the client, MiB", value: ({ clientMiB }) => clientMiB },
  { title: "memory of the pod, MiB", value: ({ podMiB }) => podMiB },
];

await plotFlows(await rowsOf("flows"));
await plotObjects(await rowsOf("objects"));

async function rowsOf<Row>(name: string): Promise<readonly Row[]> {
  const file = new URL(`results/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")).rows;
}

async function plotFlows(rows: readonly FlowsRow[]): Promise<void> {
  const ways = [...new Set(rows.map(({ way }) => way))];
  const flows = [...new Set(rows.map(({ flows }) => flows))];
  const lines = Math.ceil(PANELS.length / 2);
  const place = (i: number) => ({
    left: i % 2 === 0 ? 60 : WIDTH / 2 + 60,
    width: WIDTH / 2 - 90,
    top: TOP + Math.floor(i / 2) * PANEL_HEIGHT + 50,
    height: PANEL_HEIGHT - 110,
  });
  await write("flows.svg", TOP + lines * PANEL_HEIGHT, {
    legend: { top: 10, itemGap: 40, data: ways },
    title: PANELS.map(({ title }, i) => ({
      text: title,
      left: place(i).left,
      top: place(i).top - 34,
      textStyle: { fontSize: 13, fontWeight: "normal" },
    })),
    grid: PANELS.map((_, i) => place(i)),
    xAxis: PANELS.map((_, i) => ({
      gridIndex: i,
      type: "category",
      data: flows.map(String),
      name: "connections",
      nameLocation: "middle",
      nameGap: 24,
      boundaryGap: false,
    })),
    yAxis: PANELS.map(({ title }, i) => ({
      gridIndex: i,
      type: title.startsWith("a request") ? "log" : "value",
    })),
    series: PANELS.flatMap(({ value }, i) =>
      ways.map((way) => ({
        name: way,
        type: "line",
        xAxisIndex: i,
        yAxisIndex: i,
        data: flows.map((count) => {
          const row = rows.find((one) =>
            one.way === way && one.flows === count
          );
          return (row && value(row)) ?? null;
        }),
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
