import { mailConformance } from './mail-suite.ts'
import { conformance } from './suite.ts'
import { toyBench } from './toy/bench.ts'
import { toyMailBench } from './toy/mail-bench.ts'

conformance(toyBench())
mailConformance(toyMailBench())
