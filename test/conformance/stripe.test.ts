import { stripeBench } from './stripe.bench.ts'
import { conformance } from './suite.ts'

conformance(stripeBench)
