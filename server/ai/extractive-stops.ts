import { wordsOf } from './context-rank.ts'

/**
 * Words that hold sentences together and say nothing about what they are about: the most frequent ones of some languages. For the
 * others, their being everywhere must do.
 */
export function stopWords(): ReadonlySet<string> {
  return new Set(wordsOf(words))
}

const words = `
a about after again all also am an and any are as at be because been before being both but by can could did do does doing
down each even ever every few for from further get go had has have having he her here him his how i if in into is it its
just let like made make many may me might more most much must my no nor not now of off on once one only or other our out over
own put rather said same say see she should since so some still such take than that the their them then there these they thing
this those though through thus to too two under until up upon us use very was way we well were what when where which
while who whom whose why will with within without would yet you your
aber als am an auch auf aus bei bis da das dass dem den der des die doch durch ein eine einem einen einer er es für hat haben
ich ihr im in ist kann man mit nach nicht noch nur oder sein sich sie sind so um und uns von vor war was wenn wer werden wie wir
wird zu zum zur über
au aux avec c ce cela cette ces dans de des du d elle en est et il ils je j la le les l leur lui mais me mes même ne nous n on ou
par pas plus pour qu que qui sa se ses son sont sur s tout un une vous y à été être
al algo ante como con cuando del el ella entre era es esta este ha hay las lo los más muy ni o para pero por porque ser si sin
sobre su sus una ya él
che da di e gli i il ma nel non per più sono sua tra
com do dos foi mais na nas nos não os pela pelo quem sem seu uma um
в во и на не но о он она они от по с со так то что это я как бы у же за из к мы вы а`
