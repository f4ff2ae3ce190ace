/**
 * Makes the nodes of `parent` from `first` on look as `wanted` says, one by one, and touches only what differs. What
 * grows at its end keeps its nodes so. Returns the first node behind them; `wanted` may lose nodes.
 */
export function morph(
  parent: Node,
  first: ChildNode | null,
  wanted: Iterable<ChildNode>,
  ours?: string,
): ChildNode | null {
  let at = first
  for (const node of Array.from(wanted)) {
    if (at === null) {
      parent.appendChild(node)
      continue
    }
    const next: ChildNode | null = at.nextSibling
    morphNode(at, node, ours)
    at = next
  }
  return at
}

export function removeFrom(first: ChildNode | null): void {
  for (let at = first; at !== null;) {
    const next: ChildNode | null = at.nextSibling
    at.remove()
    at = next
  }
}

function morphNode(node: ChildNode, wanted: ChildNode, ours: string | undefined): void {
  if (node.isEqualNode(wanted)) return
  if (node instanceof Text && wanted instanceof Text) setText(node, wanted.data)
  else if (node instanceof Element && wanted instanceof Element && node.nodeName === wanted.nodeName) {
    morphAttributes(node, wanted, ours)
    removeFrom(morph(node, node.firstChild, wanted.childNodes, ours))
  } else node.replaceWith(wanted)
}

function setText(node: Text, data: string): void {
  // What was selected in it stays selected.
  if (data.startsWith(node.data)) node.appendData(data.slice(node.data.length))
  else node.data = data
}

/** The attribute `ours` is no business of the HTML's. */
function morphAttributes(node: Element, wanted: Element, ours: string | undefined): void {
  for (const { name } of Array.from(node.attributes)) {
    if (name !== ours && !wanted.hasAttribute(name)) node.removeAttribute(name)
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value)
  }
}
