/** Currencies whose minor unit is not a hundredth, after ISO 4217. */
const WHOLE = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ')
const THOUSANDTHS = 'BHD IQD JOD KWD LYD OMR TND'.split(' ')
const DIGITS: ReadonlyMap<string, number> = new Map([
  ...WHOLE.map((code) => [code, 0] as const),
  ...THOUSANDTHS.map((code) => [code, 3] as const),
])

const CODES = new Set([...Intl.supportedValuesOf('currency'), ...DIGITS.keys()])

/** The ISO 4217 code in upper case; undefined where there is no such currency. */
export function currencyOf(said: string): string | undefined {
  const code = said.length === 3 ? said.toUpperCase() : said.trim().toUpperCase()
  return CODES.has(code) ? code : undefined
}

export function currencyCodes(): readonly string[] {
  return [...CODES]
}

/** Decimal digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  return DIGITS.get(currency) ?? 2
}

/** The currency a symbol means; `$` and `¥` follow `hint` where that is one of theirs. */
export function currencyOfSymbol(symbol: string, hint: string | undefined): string | undefined {
  const meant = SYMBOLS[symbol]
  return meant?.find((code) => code === hint) ?? meant?.[0]
}

const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  '€': ['EUR'],
  '£': ['GBP'],
  $: 'USD AUD CAD NZD SGD HKD MXN TWD ARS CLP COP BRL'.split(' '),
  US$: ['USD'],
  A$: ['AUD'],
  C$: ['CAD'],
  CA$: ['CAD'],
  R$: ['BRL'],
  '¥': ['JPY', 'CNY'],
  '￥': ['JPY', 'CNY'],
  '₹': ['INR'],
  '₩': ['KRW'],
  '₽': ['RUB'],
  '₺': ['TRY'],
  '₪': ['ILS'],
  '₫': ['VND'],
  '₴': ['UAH'],
  zł: ['PLN'],
  Kč: ['CZK'],
  kr: 'SEK NOK DKK ISK'.split(' '),
  Fr: ['CHF'],
}
