/** Pages as they are found out there, in words of our own. */

/** A blog post among everything that blogs put around it. */
export const blogPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Why small boats turn faster – The Harbour Notes</title>
<meta property="og:title" content="Why small boats turn faster">
<script>window.tracker = { on: true, name: 'SCRIPTWORD' }</script>
<style>.wide { width: 100% } /* STYLEWORD */</style></head>
<body>
<header class="site-header"><a href="/">The Harbour Notes</a></header>
<nav><ul><li><a href="/">Home</a></li><li><a href="/about">About NAVWORD</a></li></ul></nav>
<div class="layout">
<main><article class="post">
<h1>Why small boats turn faster</h1>
<p class="byline">By Ines Calder</p>
<p>Anyone who has steered both knows it at once: a small boat answers the tiller before the hand has finished moving,
while a large one thinks it over, asks its keel, and only then begins to come round.</p>
<h2 id="length">It is not the weight <a class="anchor" href="#length">#</a></h2>
<p>Weight is what most people name first, and weight matters less than they think. What resists the turn is water that
has to be pushed aside along the whole hull, and a long hull has more of it to push, further from the middle.</p>
<p>Twice the length means roughly four times the effort, because the ends have to travel further as well as carry
more. <em>That</em> is why a rowing boat spins &amp; a barge does not.</p>
<blockquote><p>Never argue with the ends of a boat.</p></blockquote>
<h2>What follows for harbours</h2>
<p>A harbour is built for the slowest to turn. Three rules have come out of that, and every pilot knows them, whether
or not anybody ever wrote them down for them:</p>
<ol><li>Leave room astern.</li><li>Turn early:<ul><li>once for the wind,</li><li>once for the tide.</li></ul></li></ol>
<div class="ad advertisement sponsor"><p>Buy ADWORD rope now, only today, only here.</p></div>
</article></main>
<aside class="sidebar"><h3>Popular</h3><ul><li><a href="/1">Ten SIDEWORD knots</a></li></ul></aside>
</div>
<section id="comments" class="comments"><h2>2 comments</h2>
<div class="comment"><p>COMMENTWORD nice one, thanks for writing this.</p></div></section>
<footer><p>Copyright FOOTWORD, all rights reserved</p></footer>
</body></html>`

export const essayParagraphs = [
  'The first machine that I repaired was a clock, and I repaired it by making it worse. It had stopped, so I took it apart, and when all of it lay on the table I could see that nothing was broken at all.',
  'What had happened was dust. A clock is a way of letting a spring down slowly, and dust is a way of letting it down not at all. There was nothing to mend, and I had spent an evening preparing to mend it.',
  'I have thought of that evening often since. Most of what goes wrong in the things we make goes wrong like this: not by a part that fails, but by something small that settles between the parts.',
  'So now I begin with a brush.',
]

/** An essay of the old kind: no headings, tables for the layout, tags that are never closed, paragraphs by line breaks. */
export const essayPage = `<html><head><title>Dust</title></head><body bgcolor="#ffffff">
<table border=0 cellspacing=0><tr valign=top><td><img src=menu.gif width=69 usemap=#m><map name=m><area href=index.html></map></td>
<td width=26></td><td><font size=2 face=verdana><font color=#333333>${essayParagraphs.join('<br><br>\n')}<br><br>
</font></td></tr></table>`

/** A manual with code, a table and a formula. */
export const manualPage = `<!doctype html><html><head><title>Counting words</title></head><body><main>
<h1>Counting words</h1>
<p>This part of the manual tells how the counter works, what it counts as a word, and what the results mean when a text
is written in more than one language at once.</p>
<h2>Calling it</h2>
<p>Call the function with a text. It gives an object with a number for each word that it has seen, in no order:</p>
<pre><code class="language-js">function count(text) {
\tconst seen = {}

\tfor (const word of text.split(' ')) seen[word] = (seen[word] ?? 0) + 1
\treturn seen
}</code></pre>
<h3>Options</h3>
<table><caption>All options</caption><thead><tr><th>Name</th><th>Default</th><th>Meaning</th></tr></thead>
<tbody><tr><td>fold</td><td>true</td><td>upper case counts as lower case</td></tr>
<tr><td>least</td><td>1</td><td>shorter words are left out</td></tr></tbody></table>
<p>The share of a word is <math><semantics><mrow><mi>n</mi><mo>/</mo><mi>N</mi></mrow>
<annotation encoding="application/x-tex">n / N</annotation></semantics></math>, with all words counted below the line.</p>
</main></body></html>`

const japaneseParagraphs = [
  '港の朝は静かで、船が動き出す前に、人々はまず空を見る。風がどこから来るかを知らなければ、綱を解いてはならないからである。',
  '小さな船はすぐに曲がるが、大きな船は考えてから曲がる。長い船ほど、両端の水を遠くまで押さなければならないのだ。',
]

/** A page in Japanese, with its paragraphs. */
export const japanesePage = {
  paragraphs: japaneseParagraphs,
  html: `<!doctype html><html lang="ja"><head><title>港の朝</title></head><body><article><h1>港の朝</h1>
<p>${japaneseParagraphs.join('</p>\n<p>')}</p></article></body></html>`,
}
