/**
 * Amounts here are integers in minor units of ISO 4217; on Stripe's wire they are integers in Stripe's own units, which
 * differ for a few currencies. Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal, special cases).
 * HUF and TWD are two-decimal for invoices as for ISO; only payouts must be whole, and Concord makes none.
 */
export type Conversion =
  | { readonly kind: 'amount'; readonly amount: number }
  | { readonly kind: 'refused'; readonly code: string; readonly problem: string }

/** How many units of Stripe one ISO unit is, and which step Stripe's amounts keep. */
type Form = { readonly times: number; readonly per: number; readonly step: number }

const SAME: Form = { times: 1, per: 1, step: 1 }
/** No decimals for ISO; two on the wire, which must be 00. */
const WHOLE: Form = { times: 100, per: 1, step: 100 }
/** Three decimals on both sides, the last of which must be 0. */
const TENS: Form = { times: 1, per: 1, step: 10 }
/** Two decimals for ISO, none on the wire. */
const UNDIVIDED: Form = { times: 1, per: 100, step: 1 }

const FORMS: ReadonlyMap<string, Form> = new Map([
  ...['ISK', 'UGX'].map((code) => [code, WHOLE] as const),
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map((code) => [code, TENS] as const),
  ['MGA', UNDIVIDED],
])
/** Without decimals on both sides: the amount is the same, and that is worth saying once. */
export const ZERO_DECIMAL: readonly string[] =
  'BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF'.split(' ')

/** ISO gives these three or four decimals, and Stripe takes none of them: guessing a form could be wrong by 10. */
const UNSUPPORTED = new Set(['CLF', 'IQD', 'LYD', 'UYI', 'UYW'])
const KNOWN = new Set(Intl.supportedValuesOf('currency'))

/** `amount` in ISO minor units of `currency` (either case) as Stripe wants it; refused where Stripe has no such amount. */
export function toStripe(amount: number, currency: string): Conversion {
  const code = currency.toUpperCase()
  if (!KNOWN.has(code) || UNSUPPORTED.has(code))
    return refused('currency', `Stripe does not bill in ${JSON.stringify(currency)}`)
  if (!Number.isSafeInteger(amount))
    return refused('amount', `${amount} is not a whole number of minor units`)
  const form = FORMS.get(code) ?? SAME
  const wire = (amount * form.times) / form.per
  if (!Number.isSafeInteger(wire))
    return refused('amount', `Stripe takes no fractions of ${code}: ${amount} does not fit`)
  if (wire % form.step !== 0)
    return refused('amount', `Stripe takes ${code} in steps of ${form.step}: ${amount} does not fit`)
  return { kind: 'amount', amount: wire }
}

/** Stripe's `amount` in ISO minor units; refused where it is a fraction of one. Unknown currencies pass unchanged. */
export function fromStripe(amount: number, currency: string): Conversion {
  const form = FORMS.get(currency.toUpperCase()) ?? SAME
  const iso = (amount * form.per) / form.times
  return Number.isSafeInteger(iso)
    ? { kind: 'amount', amount: iso }
    : refused('amount', `${amount} in Stripe's ${currency} is not a whole number of minor units`)
}

function refused(code: string, problem: string): Conversion {
  return { kind: 'refused', code, problem }
}
