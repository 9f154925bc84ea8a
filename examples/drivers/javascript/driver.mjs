// A live implementation in JavaScript for `hedgetheory compare --command "node driver.mjs"`.
//
// Covers Best-of-n, Best-of-Poisson and the quantile tilt on the uniform law: kl, mean_quantile,
// mean_reward, win_rate, ratio, density, cdf. Everything else is answered "not supported".
// No package is needed; a number is written with its shortest decimal, which is that double again.

import { createInterface } from "node:readline";

const PROTOCOL = "hedgetheory-conformance/1";
const NODES = 24;
const gauss = Array.from({ length: NODES }, (_, i) => {
  // Nodes and weights on (0, 1), by Newton's method on the Legendre polynomial.
  let x = Math.cos((Math.PI * (i + 0.75)) / (NODES + 0.5));
  let slope = 1;
  for (let step = 0; step < 100; step++) {
    let [p, before] = [1, 0];
    for (let k = 1; k <= NODES; k++) [p, before] = [((2 * k - 1) * x * p - (k - 1) * before) / k, p];
    slope = (NODES * (x * p - before)) / (x * x - 1);
    x -= p / slope;
    if (Math.abs(p / slope) < 1e-16) break;
  }
  return { at: (1 + x) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
});
const integral = (f, a = 0, b = 1) =>
  (b - a) * gauss.reduce((sum, { at, weight }) => sum + weight * f(a + (b - a) * at), 0);

// h(x) = (1+x) log1p(x) - x >= 0: the KL is E[h(w - 1)], without cancellation near w = 1.
function h(x) {
  if (Math.abs(x) > 0.05) return (1 + x) * Math.log1p(x) - x;
  let sum = 0;
  for (let k = 2, power = x * x; k < 16; k++, power *= -x) sum += power / (k * (k - 1));
  return sum;
}
const klNear = (logRatio) => integral((u) => h(Math.expm1(logRatio(u))));

const policies = {
  bon: {
    parameter: "n",
    kl(n) {
      const y = (n - 1) / n; // -log(1-y) - y
      if (y > 0.2) return Math.log(n) - y;
      let sum = 0;
      for (let k = 2, power = y * y; k < 30; k++, power *= y) sum += power / k;
      return sum;
    },
    mean: (n) => n / (n + 1),
    ratio: (n, u) => n * power(u, n - 1),
    cdf: (n, u) => power(u, n),
  },
  bop: {
    parameter: "mu",
    kl(mu) {
      if (mu < 4) return klNear((u) => Math.log1p(mu * u) - mu * (1 - u));
      // ln(1+mu) - 1 + (1/mu) * integral over (0, mu) of e^-s / (1+mu-s): Ei differences overflow.
      const width = Math.min(mu, 40) / 20;
      let sum = 0;
      for (let k = 0; k < 20; k++)
        sum += integral((s) => Math.exp(-s) / (1 + mu - s), k * width, (k + 1) * width);
      return Math.log1p(mu) - 1 + sum / mu;
    },
    mean(mu) {
      if (mu >= 1) return 1 - 1 / mu - Math.expm1(-mu) / mu / mu;
      let sum = 0.5;
      for (let k = 3, term = 0.5; k < 22; k++) sum -= term *= -mu / k;
      return sum;
    },
    ratio: (mu, u) => (1 + mu * u) * Math.exp(mu * (u - 1)),
    cdf: (mu, u) => u * Math.exp(mu * (u - 1)),
  },
  quantile_tilt: {
    parameter: "lam",
    kl(lam) {
      if (lam === 0) return 0;
      if (lam >= 4) {
        const e = Math.exp(-lam);
        return Math.log(lam) - 1 + (lam * e) / (1 - e) - Math.log1p(-e);
      }
      let sinhc = 0; // sinh(lam/2)/(lam/2) - 1 by its series
      for (let k = 14; k >= 1; k--) sinhc = ((lam * lam) / 4 / (2 * k * (2 * k + 1))) * (1 + sinhc);
      return klNear((u) => lam * (u - 0.5) - Math.log1p(sinhc));
    },
    mean(lam) {
      if (lam >= 0.1) return -1 / Math.expm1(-lam) - 1 / lam;
      const x2 = lam * lam;
      return 0.5 + (lam / 12) * (1 - (x2 / 60) * (1 - (x2 / 42) * (1 - x2 / 40)));
    },
    ratio: (lam, u) => (lam ? (lam * Math.exp(lam * (u - 1))) / -Math.expm1(-lam) : 1),
    cdf: (lam, u) =>
      lam ? (Math.exp(lam * (u - 1)) * Math.expm1(-lam * u)) / Math.expm1(-lam) : u,
  },
};

// Math.pow of a number near 1 loses digits in V8: u^n by log1p, whose argument is exact there.
function power(u, n) {
  return u >= 0.5 ? Math.exp(n * Math.log1p(u - 1)) : Math.pow(u, n);
}

function binary64(entry) {
  // Parameters come as {"rational": "p/q", "binary64": "0x1.8p+1" or null}.
  const found = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]?\d+)$/.exec(entry?.binary64 ?? "");
  if (!found) return undefined;
  const size = Number(`0x${found[2]}${found[3]}`) * 2 ** (Number(found[4]) - 4 * found[3].length);
  return found[1] ? -size : size;
}

function answer({ quantity, inputs }) {
  const policy = inputs.law === "uniform" ? policies[inputs.policy] : undefined;
  const theta = policy && binary64(inputs.parameters[policy.parameter]);
  if (theta === undefined) return "not supported";
  if (quantity === "kl") return policy.kl(theta);
  if (["mean_quantile", "mean_reward", "win_rate"].includes(quantity)) return policy.mean(theta);
  const u = binary64(inputs.at?.quantile ?? inputs.at?.reward);
  if (u === undefined) return "not supported";
  const inside = u >= 0 && u <= 1;
  if (quantity === "ratio" && inside) return policy.ratio(theta, u);
  if (quantity === "density") return inside ? policy.ratio(theta, u) : 0;
  if (quantity === "cdf") return u <= 0 ? 0 : u >= 1 ? 1 : policy.cdf(theta, u);
  return "not supported";
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let greeted = false;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (!greeted) {
    if (message.protocol !== PROTOCOL) process.exit(1);
    say({ implementation: `JavaScript driver, node ${process.version}`, protocol: PROTOCOL });
    greeted = true;
    continue;
  }
  const value = answer(message);
  // JSON has no infinity and no NaN: such values go as text, and are read so.
  say({ id: message.id, value: Number.isFinite(value) ? value : String(value) });
}
