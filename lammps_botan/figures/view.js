// Label of the color bar and slider over the frames. K3D's own slider is hidden in its panel.
// K3DInstance comes from K3D, page = {label, steps} from view.py.
document.title = "lammps-botan view";
document.head.insertAdjacentHTML("beforeend", `<meta name="viewport" content="width=device-width">
<style>
  body { overflow: hidden; }
  #label, #frames { position: absolute; font: 16px sans-serif; color: #222; z-index: 100; }
  /* K3D's color bar takes the lowest 30 % of the window */
  #label { left: 14px; bottom: calc(30vh + 8px); padding: 2px 6px; background: #ffffffd0;
    pointer-events: none; }
  #frames { left: 20px; top: 12px; width: min(24em, calc(100vw - 265px)); }
  #frames input { width: 100%; }
  @media (max-width: 600px) {
    .lil-root { --width: 130px !important; }
    #frames { width: calc(100vw - 170px); }
  }
</style>`);
document.body.insertAdjacentHTML("beforeend", `<div id="label">${page.label}</div>
<div id="frames"><label for="frame"></label>
<input id="frame" type="range" min="0" max="${page.steps.length - 1}" value="0"></div>`);
const slider = document.getElementById("frame");
slider.hidden = page.steps.length === 1;

async function show() {
  const k = Number(slider.value);
  const step = page.steps[k] === null ? "" : `step ${page.steps[k]}, `;
  slider.labels[0].textContent = `${step}frame ${k + 1} of ${page.steps.length}`;
  await K3DInstance.setTime(k);
  document.body.dataset.shown = k;
}

slider.addEventListener("input", show);
K3DInstance.gui.close();
// the whole cell, also in a window that is higher than wide
K3DInstance.resetCamera(Math.max(1, 0.9 * innerHeight / innerWidth));
show();
