import { toyBench } from './toy/bench.ts'
import { conformance } from './suite.ts'

conformance(toyBench())
