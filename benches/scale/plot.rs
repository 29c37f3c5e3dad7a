//! The figures as a picture: memory and time an object, against the number of objects.

use std::fmt::Write as _;

use crate::Figures;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 50.0;

/// One chart: title, unit, and the value of each row.
struct Chart<'a> {
    title: &'a str,
    unit: &'a str,
    values: Vec<f64>,
}

/// Both charts side by side; the number of objects is on a logarithmic axis.
pub(crate) fn svg(rows: &[Figures]) -> String {
    let per = |value: f64, row: &Figures| value / f64::from(row.objects);
    let charts = [
        Chart {
            title: "Peak memory an object",
            unit: "bytes",
            values: rows.iter().map(|row| per(row.peak_mib * 1048576.0, row)).collect(),
        },
        Chart {
            title: "Open, mark and plan, an object",
            unit: "µs",
            values: rows.iter().map(|row| per((row.open_s + row.plan_s) * 1e6, row)).collect(),
        },
    ];
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"340\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"900\" height=\"340\" fill=\"#fff\"/>\n",
    );
    for (place, chart) in [LEFT, LEFT + WIDTH + 80.0].into_iter().zip(&charts) {
        draw(&mut out, place, rows, chart);
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, left: f64, rows: &[Figures], chart: &Chart<'_>) {
    let logs: Vec<f64> = rows.iter().map(|row| f64::from(row.objects).log10()).collect();
    let (low, high) = (logs[0], logs[logs.len() - 1]);
    let top = chart.values.iter().copied().fold(0.0, f64::max) * 1.2;
    let x = |log: f64| left + (log - low) / (high - low) * WIDTH;
    let y = |value: f64| TOP + HEIGHT * (1.0 - value / top);
    let bottom = TOP + HEIGHT;
    let mut line = |text: String| {
        writeln!(out, "{text}").expect("a text takes more text");
    };
    line(format!("<text x=\"{left}\" y=\"24\" font-weight=\"bold\">{}</text>", chart.title));
    line(format!("<text x=\"{left}\" y=\"42\" fill=\"#555\">{}</text>", chart.unit));
    line(format!(
        "<path d=\"M{left} {TOP}V{bottom}H{}\" fill=\"none\" stroke=\"#555\"/>",
        left + WIDTH
    ));
    line(format!("<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>", left - 6.0));
    let mut path = String::new();
    for ((log, value), row) in logs.iter().zip(&chart.values).zip(rows) {
        let (at, up) = (x(*log), y(*value));
        write!(path, "{}{at:.1} {up:.1}", if path.is_empty() { "M" } else { "L" }).expect("text");
        line(format!("<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"4\" fill=\"#1a5fb4\"/>"));
        line(format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value:.2}</text>",
            up - 10.0
        ));
        line(format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            row.objects
        ));
    }
    line(format!("<path d=\"{path}\" fill=\"none\" stroke=\"#1a5fb4\" stroke-width=\"2\"/>"));
    line(format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">objects</text>",
        left + WIDTH / 2.0,
        bottom + 38.0
    ));
}
