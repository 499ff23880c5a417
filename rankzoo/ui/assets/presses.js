/* Tells the whole page what was pressed in a drawing's row of − and +: the drawing stands in a fragment, which would answer first.
   A press before this is there waits. */
export default function ({ data, setStateValue }) {
  if (!data) return;
  const lines = (document.rzPresses ??= new Map());
  if (!lines.has(data.of)) lines.set(data.of, {});
  const line = lines.get(data.of);
  line.tell = (pressed) => setStateValue("step", pressed);
  if (line.waits) line.tell(line.waits);
  line.waits = null;
  return () => { line.tell = null; };
}
