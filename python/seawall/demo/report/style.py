"""How the report looks. Colours are chosen to be told apart without seeing red and green."""

__all__ = ["STYLE"]

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #f5f7fa; --card: #ffffff; --edge: #d9e0e7; --ink: #1f2933; --quiet: #52606d;
  --grid: #e1e7ed; --accent: #0b7a8c; --bad: #b3261e;
  --answered: #0b7a8c; --fallback: #6cc3cf; --refused: #8a96a3; --failed: #e08a1e;
  --gave-up: #b3261e; --payments: #4c5fa8; --recommendations: #a3b1e6; --wanted: #1f2933;
  --healthy: #ffffff00; --slow: #f6c34426; --down: #d6453d24; --recovering: #4a90d922;
  --flag-healthy: #dff0e6; --flag-slow: #fbe6b0; --flag-down: #f6c9c5; --flag-recovering: #cfe2f6;
  --closed: #bfe3e8; --open: #b3261e; --half-open: #e0a11e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1217; --card: #161b22; --edge: #2f3945; --ink: #eef2f6; --quiet: #a9b4bf;
    --grid: #2a323c; --accent: #39bccd; --bad: #ff7b72;
    --answered: #1f9fb1; --fallback: #8fdbe4; --refused: #77838f; --failed: #e8a04a;
    --gave-up: #e5574e; --payments: #7d92e8; --recommendations: #44538f; --wanted: #eef2f6;
    --slow: #f6c3441f; --down: #ff5f5624; --recovering: #4a90d926;
    --flag-healthy: #1d3a2a; --flag-slow: #4a3b12; --flag-down: #55221f; --flag-recovering: #1c3650;
    --closed: #1d4a52; --open: #e5574e; --half-open: #e0a11e;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Inter, "DejaVu Sans", sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 56px }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px }
h2 { font-size: 19px; margin: 0 0 2px }
p { margin: 0 0 12px }
.lead, .words { color: var(--quiet) }
.lead { max-width: 78ch; margin-bottom: 20px }
.verdict {
  border-left: 4px solid var(--accent); background: var(--card); border-radius: 4px;
  padding: 10px 16px; margin: 0 0 20px; font-weight: 600
}
.verdict.missed { border-color: var(--bad) }
.verdict ul { margin: 4px 0 0; font-weight: 400 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 14px }
.tile, .card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px }
.tile { padding: 14px 18px }
.tile .label { color: var(--quiet); font-size: 14px; line-height: 1.3; min-height: 2.6em }
.tile .value { font-size: 32px; font-weight: 650; line-height: 1.25; color: var(--accent) }
.tile .before { font-size: 14px }
.tile .before b { color: var(--bad) }
.card { padding: 18px 20px; margin-top: 18px; overflow-x: auto }
.card .words { font-size: 14.5px; margin: 0 0 8px; max-width: 100ch }
.pair {
  display: grid; gap: 8px 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr))
}
figure { margin: 0 }
figcaption { font-weight: 600; font-size: 14px; margin: 4px 0 4px 71px }
.legend {
  display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13.5px; margin: 0 0 6px; padding: 0
}
.legend li { list-style: none; display: flex; align-items: center; gap: 7px }
.legend i { width: 12px; height: 12px; border-radius: 3px; background: currentColor }
.legend i.wanted { height: 2px }
svg { display: block; width: 100%; height: auto }
svg text { font-size: 12.5px; fill: var(--ink) }
svg .quiet { fill: var(--quiet); font-size: 11.5px }
svg .phase-name { font-size: 11px; font-weight: 600 }
svg .on-bar { font-size: 11.5px; font-weight: 600 }
.grid { stroke: var(--grid) } .axis { stroke: var(--quiet) }
.phase.healthy { fill: var(--healthy) } .phase.slow { fill: var(--slow) }
.phase.down { fill: var(--down) } .phase.recovering { fill: var(--recovering) }
.flag.healthy { fill: var(--flag-healthy) } .flag.slow { fill: var(--flag-slow) }
.flag.down { fill: var(--flag-down) } .flag.recovering { fill: var(--flag-recovering) }
.answered { fill: var(--answered); color: var(--answered) }
.fallback { fill: var(--fallback); color: var(--fallback) }
.refused { fill: var(--refused); color: var(--refused) }
.failed { fill: var(--failed); color: var(--failed) }
.gave-up { fill: var(--gave-up); color: var(--gave-up) }
.missed { fill: var(--gave-up); color: var(--gave-up) }
.payments { fill: var(--payments); color: var(--payments) }
.recommendations { fill: var(--recommendations); color: var(--recommendations) }
.closed { fill: var(--closed); color: var(--closed) }
.open { fill: var(--open); color: var(--open) }
.half-open { fill: var(--half-open); color: var(--half-open) }
path.wanted { fill: none; stroke: var(--wanted); stroke-width: 1.5 }
i.wanted { color: var(--wanted) }
.dots { fill: none; stroke: currentColor; stroke-width: 3.6; stroke-linecap: round; opacity: 0.75 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--edge) }
tr > :first-child { text-align: left; font-weight: 400 }
thead th { font-weight: 600; color: var(--quiet); font-size: 14px }
td:last-child, td b { font-weight: 650; color: var(--accent) }
.plain td:last-child { font-weight: 400; color: inherit }
details { margin-top: 8px } summary { cursor: pointer; font-weight: 600 }
pre {
  overflow-x: auto; background: var(--page); border-radius: 6px; padding: 12px;
  font-size: 13px; line-height: 1.45
}
footer { color: var(--quiet); font-size: 14px; margin-top: 22px }
@media print { .card, .tile { break-inside: avoid } }
"""
