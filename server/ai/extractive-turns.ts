/** Words by which a sentence turns against something, in some languages. */
const turns = new RegExp(
  [
    String.raw`(?<!\p{L})(?:but|however|yet|not|never|no|nobody|nothing|cannot|unless|although|despite|instead|rather|against|wrong`,
    String.raw`fails?|object(?:s|ed|ion|ions)?|disagree|doubt|deny|\p{L}+n['’]t|aber|jedoch|doch|nicht|kein\p{L}*|sondern|trotzdem`,
    String.raw`obwohl|falsch|mais|pourtant|cependant|pas|jamais|pero|aunque|nunca|però|tuttavia|non|porém|não|но|однако|не|нет)(?!\p{L})`,
    String.raw`但|然而|不|没|しかし|ない|だが|그러나|하지만|않`,
  ].join('|'),
  'giu',
)

/** How often a text turns against something. */
export function turnsIn(text: string): number {
  return text.match(turns)?.length ?? 0
}
