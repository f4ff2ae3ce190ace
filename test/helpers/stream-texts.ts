/** Replies such as models write. */
export const streamTexts = {
  prose: `The author's claim rests on **two** assumptions, and only the *second* is argued for.

First, she takes attention to be a single resource. See [the survey](https://survey.example/attention?page=2 "Survey") and #17.
Others call it \`a bundle of filters\`; compare snake_case_names and 2*3.

Setext
======

She writes:

> Attention is the *currency* of thought.
>
> > And currencies inflate.

It cost $5 and $10 &mdash; ~~or so~~ they say.
`,
  lists: `What follows:

1. Gather the sources
   - the essay itself
   - the two replies
     - Ada's, with **bold** words
     - Grace's
   - a table of dates
2. Compare them

   A paragraph within the item.

   \`\`\`js
   const same = (a, b) => a === b
   \`\`\`
3. Conclude

- [ ] to do
- [x] done

* loose

* items

End.
`,
  code: `Sorting by hand:

\`\`\`ts
export function sort(list: number[]): number[] {
  // Blank lines do not end it.

  return list.toSorted((a, b) => a - b)
}
\`\`\`

    indented code

    goes on

~~~
a fence of tildes with \`\`\` in it
~~~
Text right behind.
`,
  tables: `| Name | Claim | Source |
|:-----|:-----:|-------:|
| Ada  | *yes* | [#1] |
| Grace | \`no\` | [doc §3] |

| a | b |
|---|---|
| 1 | 2 |
Then a row

Done.
`,
  formulas: `It cost $5, not $x^2 + y^2$ dollars. Euler: $e^{i\\pi} + 1 = 0$ and

$$
\\int_0^1 x^2 \\, dx = \\frac{1}{3}
$$

so $$\\sum_i x_i$$ in a line.

- in a list $a_1$

  $$
  b_2 - c
  $$

\`\`\`math
\\sqrt{2}
\`\`\`

$$
- not a list
- but a formula
$$

a | b
--|--
1 | 2

End.
`,
  definitions: `As [she says][essay], and [he][2] denies. [essay] again.

Later text, with [nothing] defined.

[essay]: https://essay.example/a_b "On *attention*"
[2]: <https://other.example/x>

https://alone.example/page

/t/k3v9x2q7ab/3

The end.
`,
}

/** A long reply of about `tokens` tokens, four characters each, with all of the above in it. */
export function longReply(tokens: number): string {
  const { prose, lists, code, tables, formulas } = streamTexts
  const parts = [prose, lists, code, formulas, tables]
  let text = ''
  for (let part = 0; text.length < tokens * 4; part++) {
    text += `## Part ${part + 1}\n\n${sentences(part)}\n\n${parts[part % parts.length]}\n`
  }
  return text.slice(0, text.lastIndexOf('\n', tokens * 4))
}

function sentences(part: number): string {
  return `That **part ${part + 1}** says little \`of its own\` is no accident, as *everything* in it has been said before. `
    .repeat(5)
    .trim()
}
