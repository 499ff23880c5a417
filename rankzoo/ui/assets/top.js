/* A page opens where the one before was scrolled to: a stop that was not there yet begins at its upper edge. */
export default function ({ data, parentElement }) {
  const main = document.querySelector(".stMain");
  if (!main || !data || parentElement.rzStop === data.stop) return;
  parentElement.rzStop = data.stop;
  main.scrollTop = 0;
}
