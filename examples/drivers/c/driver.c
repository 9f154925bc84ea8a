/* A live implementation in C99 for `hedgetheory compare --command ./driver`.

   Build:  cc -O2 -std=c99 -o driver driver.c -lm
   Covers: Best-of-n, Best-of-Poisson and the quantile tilt on the uniform law:
           kl, mean_quantile, mean_reward, win_rate, ratio, density, cdf.

   Lines from hedgetheory are compact ASCII with sorted keys, so that searching for a field is enough:
   no JSON library is needed. Everything else is answered "not supported". */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 24
static double node[NODES], weight[NODES];

/* Gauss-Legendre nodes and weights on (0, 1), by Newton's method on the Legendre polynomial. */
static void prepare(void) {
  const double pi = acos(-1);
  for (int i = 0; i < NODES; i++) {
    double x = cos(pi * (i + 0.75) / (NODES + 0.5)), slope = 1;
    for (int step = 0; step < 100; step++) {
      double p = 1, before = 0;
      for (int k = 1; k <= NODES; k++) {
        double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;
        before = p;
        p = next;
      }
      slope = NODES * (x * p - before) / (x * x - 1);
      x -= p / slope;
      if (fabs(p / slope) < 1e-16) break;
    }
    node[i] = (1 + x) / 2;
    weight[i] = 1 / ((1 - x * x) * slope * slope);
  }
}

/* h(x) = (1+x) log1p(x) - x >= 0: the KL is E[h(w - 1)], without cancellation near w = 1. */
static double h(double x) {
  if (fabs(x) > 0.05) return (1 + x) * log1p(x) - x;
  double sum = 0, power = x * x;
  for (int k = 2; k < 16; k++, power *= -x) sum += power / (k * (k - 1.0));
  return sum;
}

/* ln w(u), with ln(sinh x / x) by its series so that nothing is lost for a small parameter. */
static double log_ratio(int bop, double theta, double u) {
  if (bop) return log1p(theta * u) - theta * (1 - u);
  double x2 = theta * theta / 4, sinhc = 0;
  for (int k = 14; k >= 1; k--) sinhc = x2 / (2 * k * (2 * k + 1)) * (1 + sinhc);
  return theta * (u - 0.5) - log1p(sinhc);
}

static double kl_near(int bop, double theta) {
  double sum = 0;
  for (int i = 0; i < NODES; i++) sum += weight[i] * h(expm1(log_ratio(bop, theta, node[i])));
  return sum;
}

static double kl_bon(double n) {
  double y = (n - 1) / n, sum = 0, power = y * y;
  if (y > 0.2) return log(n) - y;
  for (int k = 2; k < 30; k++, power *= y) sum += power / k; /* -log(1-y) - y */
  return sum;
}

/* ln(1+mu) - 1 + (1/mu) * integral over (0, mu) of e^-s / (1+mu-s): Ei differences overflow. */
static double kl_bop(double mu) {
  if (mu < 4) return kl_near(1, mu);
  double end = mu < 40 ? mu : 40, sum = 0;
  for (int panel = 0; panel < 20; panel++)
    for (int i = 0; i < NODES; i++) {
      double s = (panel + node[i]) * end / 20;
      sum += weight[i] * end / 20 * exp(-s) / (1 + mu - s);
    }
  return log1p(mu) - 1 + sum / mu;
}

static double kl_tilt(double lam) {
  if (lam < 4) return kl_near(0, lam);
  double e = exp(-lam);
  return log(lam) - 1 + lam * e / (1 - e) - log1p(-e);
}

static double mean_bop(double mu) {
  if (mu >= 1) return 1 - 1 / mu - expm1(-mu) / mu / mu;
  double sum = 0.5, term = 0.5;
  for (int k = 3; k < 22; k++) sum -= (term *= -mu / k);
  return sum;
}

static double mean_tilt(double lam) {
  if (lam >= 0.1) return -1 / expm1(-lam) - 1 / lam;
  double x2 = lam * lam;
  return 0.5 + lam / 12 * (1 - x2 / 60 * (1 - x2 / 42 * (1 - x2 / 40)));
}

enum { BON, BOP, TILT };

static double kl(int policy, double theta) {
  return policy == BON ? kl_bon(theta) : policy == BOP ? kl_bop(theta) : theta ? kl_tilt(theta) : 0;
}

static double mean(int policy, double theta) {
  return policy == BON ? theta / (theta + 1) : policy == BOP ? mean_bop(theta) : mean_tilt(theta);
}

static double ratio(int policy, double theta, double u) {
  if (policy == BON) return theta * pow(u, theta - 1);
  if (policy == BOP) return (1 + theta * u) * exp(theta * (u - 1));
  return theta ? theta * exp(theta * (u - 1)) / -expm1(-theta) : 1;
}

static double cdf(int policy, double theta, double u) {
  if (policy == BON) return pow(u, theta);
  if (policy == BOP) return u * exp(theta * (u - 1));
  return theta ? exp(theta * (u - 1)) * expm1(-theta * u) / expm1(-theta) : u;
}

/* Copies the text after `key` up to the next quote. */
static int field(const char *line, const char *key, char *text, size_t size) {
  const char *found = strstr(line, key);
  size_t length = found ? strcspn(found += strlen(key), "\"") : 0;
  if (!found || length >= size) return 0;
  memcpy(text, found, length);
  text[length] = 0;
  return 1;
}

static int number(const char *line, const char *key, double *value) {
  char text[64];
  if (!field(line, key, text, sizeof text)) return 0;
  *value = strtod(text, NULL); /* reads hexadecimal doubles */
  return 1;
}

static int answer(const char *line, double *value) {
  char law[32], name[32], quantity[32];
  double theta, u = 0;
  if (!field(line, "\"law\":\"", law, sizeof law) || strcmp(law, "uniform")) return 0;
  if (!field(line, "\"policy\":\"", name, sizeof name)) return 0;
  if (!field(line, "\"quantity\":\"", quantity, sizeof quantity)) return 0;
  int policy = !strcmp(name, "bon") ? BON : !strcmp(name, "bop") ? BOP : TILT;
  if (policy == TILT && strcmp(name, "quantile_tilt")) return 0;
  const char *keys[] = {"\"n\":{\"binary64\":\"", "\"mu\":{\"binary64\":\"", "\"lam\":{\"binary64\":\""};
  if (!number(line, keys[policy], &theta)) return 0; /* null: not a double, not ours to answer */
  if (!strcmp(quantity, "kl")) return *value = kl(policy, theta), 1;
  if (!strcmp(quantity, "mean_quantile") || !strcmp(quantity, "mean_reward") ||
      !strcmp(quantity, "win_rate"))
    return *value = mean(policy, theta), 1;
  if (!number(line, "\"quantile\":{\"binary64\":\"", &u) &&
      !number(line, "\"reward\":{\"binary64\":\"", &u))
    return 0;
  int inside = 0 <= u && u <= 1;
  if (!strcmp(quantity, "ratio") && inside) return *value = ratio(policy, theta, u), 1;
  if (!strcmp(quantity, "density")) return *value = inside ? ratio(policy, theta, u) : 0, 1;
  if (!strcmp(quantity, "cdf")) return *value = u <= 0 ? 0 : u >= 1 ? 1 : cdf(policy, theta, u), 1;
  return 0;
}

int main(void) {
  static char line[1 << 20], id[4096];
  prepare();
  if (!fgets(line, sizeof line, stdin) || !strstr(line, "\"hedgetheory-conformance/1\"")) return 1;
  puts("{\"implementation\":\"C driver\",\"protocol\":\"hedgetheory-conformance/1\"}");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    double value;
    if (!field(line, "\"id\":\"", id, sizeof id)) return 1;
    if (answer(line, &value))
      printf("{\"id\":\"%s\",\"value\":\"%a\"}\n", id, value);
    else
      printf("{\"id\":\"%s\",\"value\":\"not supported\"}\n", id);
    fflush(stdout); /* or we wait for each other */
  }
  return 0;
}
