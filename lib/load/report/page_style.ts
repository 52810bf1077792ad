/** The report's look: one column on a phone, two charts beside each other where there is room. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --text: #1b1f24; --faint: #5b6470; --rule: #d9dde3;
  --line1: #0b62c4; --line2: #b4530a; --line3: #7a3fb0; --bad: #b3261e; --good: #1a7f37;
  --edge: #0005;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1e2329; --text: #e6e9ed; --faint: #9aa4b0; --rule: #363d46;
    --line1: #6cb0ff; --line2: #f0a35c; --line3: #c99bf5; --bad: #ff8a80; --good: #6fd08a;
    --edge: #fff6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 68rem;
  background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
p { margin: .5rem 0; max-width: 44rem; }
.faint { color: var(--faint); }
.warning { border-left: .3rem solid var(--bad); padding: .5rem .9rem; background: var(--panel);
  max-width: none; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem;
  margin: 1.25rem 0 0; }
.tiles div { background: var(--panel); border-radius: .5rem; padding: .7rem .9rem; }
.tiles dt { color: var(--faint); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles .bad { color: var(--bad); }
.tiles .good { color: var(--good); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  gap: 1rem; }
figure { margin: 0; background: var(--panel); border-radius: .5rem; padding: .8rem .8rem .4rem; }
figcaption { font-weight: 600; }
figure > svg { display: block; width: 100%; height: auto; margin-top: .3rem; }
svg text { fill: var(--faint); font-size: 13px; font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) { svg text { font-size: 17px; } }
.grid { stroke: var(--rule); stroke-width: 1; fill: none; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.look1 { stroke: var(--line1); }
.look2 { stroke: var(--line2); stroke-dasharray: 7 4; }
.look3 { stroke: var(--line3); stroke-dasharray: 1.5 4.5; }
.point { fill: var(--ground); stroke-width: 2.2; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .2rem 0 0;
  padding: 0; font-size: .85rem; color: var(--faint); }
.legend svg { width: 28px; height: 8px; margin-right: .4rem; vertical-align: middle; }
/* A shadow at an edge behind which a table goes on: phones show no scrollbars. */
.wide { overflow-x: auto;
  background:
    linear-gradient(90deg, var(--ground) 30%, transparent) left / 2.5rem 100% no-repeat local,
    linear-gradient(270deg, var(--ground) 30%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(90deg, var(--edge), transparent) left / .9rem 100% no-repeat scroll,
    linear-gradient(270deg, var(--edge), transparent) right / .9rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
th { font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
td.message { white-space: normal; text-align: left; min-width: 9rem;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .wide table { font-size: .75rem; }
  .wide th, .wide td { padding-right: .4rem; }
  .wide th:last-child, .wide td:last-child { padding-right: 0; }
  .wide th[scope="col"] { white-space: normal; vertical-align: bottom; }
}
.facts th { padding-right: 1.5rem; font-weight: 400; color: var(--faint); }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
summary { cursor: pointer; }
footer { margin-top: 2.5rem; font-size: .85rem; color: var(--faint); }
`;
