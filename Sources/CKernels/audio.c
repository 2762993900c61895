#pragma STDC FP_CONTRACT OFF
#include "audio.h"

#include <string.h>

#include "clones.h"

// One value of eight frames, and of four in double. Functions take addresses of them only: how they
// are handed over by value depends on the instruction set.
typedef float lanes __attribute__((vector_size(32), aligned(32)));
typedef double wide __attribute__((vector_size(64), aligned(64)));
typedef double quad __attribute__((vector_size(32), aligned(32)));
typedef double quad_anywhere __attribute__((vector_size(32), aligned(8), may_alias));
typedef float samples4 __attribute__((vector_size(16), aligned(4), may_alias));

#define SHUFFLE __builtin_shufflevector

// MARK: Fourier transform, of four frames

/// A transform of four values; x[0...3] real, x[4...7] imaginary parts.
BODY four(quad x[8]) {
  quad ar = x[0] + x[2], ai = x[4] + x[6], br = x[0] - x[2], bi = x[4] - x[6];
  quad cr = x[1] + x[3], ci = x[5] + x[7], dr = x[1] - x[3], di = x[5] - x[7];
  x[0] = ar + cr, x[4] = ai + ci;
  x[1] = br + di, x[5] = bi - dr;
  x[2] = ar - cr, x[6] = ai - ci;
  x[3] = br - di, x[7] = bi + dr;
}

/// A transform of eight values, real and imaginary parts by turns.
BODY eight(const quad in[16], quad *z) {
  const double half = 0.70710678118654752;
  quad e[8], o[8];
  for (size_t i = 0; i < 4; i++) {
    e[i] = in[4 * i], e[4 + i] = in[4 * i + 1];
    o[i] = in[4 * i + 2], o[4 + i] = in[4 * i + 3];
  }
  four(e);
  four(o);
  // The odd half turned by an eighth each: 1, (1 - i) / sqrt 2, -i, (-1 - i) / sqrt 2.
  quad r1 = (o[1] + o[5]) * half, i1 = (o[5] - o[1]) * half;
  quad r3 = (o[7] - o[3]) * half, i3 = (-o[3] - o[7]) * half;
  quad r2 = o[6], i2 = -o[2];
  o[1] = r1, o[5] = i1, o[2] = r2, o[6] = i2, o[3] = r3, o[7] = i3;
  for (size_t i = 0; i < 4; i++) {
    z[2 * i] = e[i] + o[i], z[2 * i + 1] = e[4 + i] + o[4 + i];
    z[2 * i + 8] = e[i] - o[i], z[2 * i + 9] = e[4 + i] - o[4 + i];
  }
}

/// Samples at...at + 3 of four frames, windowed: two complex values of each.
BODY load(const ck_fourier *f, const float *const frames[4], size_t at, quad *one, quad *two) {
  quad r[4];
  if (at + 4 <= f->window_length) {
    quad w = *(const quad_anywhere *)(f->window + at);
    for (size_t l = 0; l < 4; l++)
      r[l] = __builtin_convertvector(*(const samples4 *)(frames[l] + at), quad) * w;
  } else {
    double values[4][4];
    for (size_t l = 0; l < 4; l++)
      for (size_t i = 0; i < 4; i++)
        values[l][i] = at + i < f->window_length ? frames[l][at + i] * f->window[at + i] : 0;
    memcpy(r, values, sizeof r);
  }
  quad even = SHUFFLE(r[0], r[1], 0, 4, 2, 6), odd = SHUFFLE(r[0], r[1], 1, 5, 3, 7);
  quad even2 = SHUFFLE(r[2], r[3], 0, 4, 2, 6), odd2 = SHUFFLE(r[2], r[3], 1, 5, 3, 7);
  one[0] = SHUFFLE(even, even2, 0, 1, 4, 5);
  one[1] = SHUFFLE(odd, odd2, 0, 1, 4, 5);
  two[0] = SHUFFLE(even, even2, 2, 3, 6, 7);
  two[1] = SHUFFLE(odd, odd2, 2, 3, 6, 7);
}

/// Loads values and transforms those that are points / radix apart, two neighbours at a time.
BODY first_pass(const ck_fourier *f, const float *const frames[4], size_t radix, quad *z) {
  size_t count = f->length / 2 / radix;
  for (size_t j = 0; j < count; j += 2) {
    quad in[2][16];
    for (size_t q = 0; q < radix; q++)
      load(f, frames, 2 * (j + q * count), &in[0][2 * q], &in[1][2 * q]);
    for (size_t i = 0; i < 2; i++) {
      quad *out = z + 2 * (size_t)f->places[j + i];
      if (radix == 8) {
        eight(in[i], out);
      } else {
        quad x[8];
        for (size_t q = 0; q < 4; q++) x[q] = in[i][2 * q], x[4 + q] = in[i][2 * q + 1];
        four(x);
        for (size_t q = 0; q < 4; q++) out[2 * q] = x[q], out[2 * q + 1] = x[4 + q];
      }
    }
  }
}

/// Four transforms of `part` values become one of 4 * part.
BODY pass(quad *z, size_t points, size_t part, const double *twiddles) {
  for (quad *end = z + 2 * points; z < end; z += 8 * part)
    for (size_t j = 0; j < part; j++) {
      const double *w = twiddles + 6 * j;
      quad x[8];
      x[0] = z[2 * j], x[4] = z[2 * j + 1];
      for (size_t q = 1; q < 4; q++) {
        quad re = z[2 * (j + q * part)], im = z[2 * (j + q * part) + 1];
        double c = w[2 * q - 2], s = w[2 * q - 1];
        x[q] = re * c + im * s;
        x[4 + q] = im * c - re * s;
      }
      four(x);
      for (size_t q = 0; q < 4; q++)
        z[2 * (j + q * part)] = x[q], z[2 * (j + q * part) + 1] = x[4 + q];
    }
}

/// One bin of four of the eight frames.
BODY put(size_t bin, size_t bins, int squared, const quad *re, const quad *im, float *spectra) {
  if (bin >= bins) return;
  quad square = *re * *re + *im * *im;
  quad value = squared ? square : __builtin_elementwise_sqrt(square);
  *(samples4 *)(spectra + bin * ck_frames) = __builtin_convertvector(value, samples4);
}

/// The real transform's bins from the complex one's.
BODY magnitudes(const ck_fourier *f, const quad *z, size_t bins, int squared, float *spectra) {
  size_t points = f->length / 2;
  quad zero = {0}, low = z[0] + z[1], high = z[0] - z[1];
  put(0, bins, squared, &low, &zero, spectra);
  put(points, bins, squared, &high, &zero, spectra);
  for (size_t k = 1; k <= points / 2; k++) {
    const quad *a = z + 2 * k, *b = z + 2 * (points - k);
    double c = f->split[2 * k], s = f->split[2 * k + 1];
    quad er = (a[0] + b[0]) * 0.5, ei = (a[1] - b[1]) * 0.5;
    quad or = (a[1] + b[1]) * 0.5, oi = (b[0] - a[0]) * 0.5;
    quad tr = or * c + oi * s, ti = oi * c - or * s;
    quad re = er + tr, im = ei + ti, re2 = er - tr, im2 = ei - ti;
    put(k, bins, squared, &re, &im, spectra);
    put(points - k, bins, squared, &re2, &im2, spectra);
  }
}

BODY ck_spectra_body(
    const ck_fourier *f, const float *const frames[ck_frames], size_t bins, int squared,
    double *work, float *spectra) {
  quad *z = (quad *)work;
  size_t points = f->length / 2;
  // Where the number of points is an even power of two, all radices are 4.
  int fours = __builtin_ctzl(points) % 2 == 0;
  for (size_t l = 0; l < ck_frames; l += 4) {
    if (fours)
      first_pass(f, frames + l, 4, z);
    else
      first_pass(f, frames + l, 8, z);
    // Quarter by quarter up to the last pass: a quarter stays in the first cache.
    size_t part, quarter = points / 4;
    for (quad *q = z; q < z + 2 * points; q += 2 * quarter) {
      const double *twiddles = f->twiddles;
      for (part = fours ? 4 : 8; part < quarter; part *= 4) {
        pass(q, quarter, part, twiddles);
        twiddles += 6 * part;
      }
      if (q + 2 * quarter == z + 2 * points) pass(z, points, part, twiddles);
    }
    if (squared)
      magnitudes(f, z, bins, 1, spectra + l);
    else
      magnitudes(f, z, bins, 0, spectra + l);
  }
}

SHIFTWORK_DEFINE(
  ck_spectra,
  (const ck_fourier *fourier, const float *const frames[ck_frames], size_t bins, int squared,
   double *work, float *spectra),
  (fourier, frames, bins, squared, work, spectra))

// MARK: sums, logarithms, products

BODY ck_band_sums_body(const ck_bands *bands, const float *spectra, float *sums) {
  const lanes *x = (const lanes *)spectra;
  const float *w = bands->weights;
  for (size_t b = 0; b < bands->count; b++) {
    // Two sums, as each addition waits for the one before.
    lanes even = {0}, odd = {0};
    size_t k = bands->first[b], end = bands->end[b];
    for (; k + 2 <= end; k += 2, w += 2) {
      even += x[k] * w[0];
      odd += x[k + 1] * w[1];
    }
    if (k < end) even += x[k] * *w++;
    ((lanes *)sums)[b] = even + odd;
  }
}

SHIFTWORK_DEFINE(
  ck_band_sums, (const ck_bands *bands, const float *spectra, float *sums), (bands, spectra, sums))

/// ln(m 2^e) = e ln 2 + ln m, m of sqrt(1/2)...sqrt(2); ln(1 + f) = f - (f^2/2 - s (f^2/2 + r)) with
/// s = f / (2 + f), r = 2 (s^2/3 + s^4/5 + ...); ln 2 in two parts, the first of few digits.
BODY ck_logarithms_body(float *x, size_t count, float offset, float factor) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i] + offset;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t above = bits - 0x3F3504F3u;
    float e = (float)((int32_t)above >> 23);
    bits = (above & 0x007FFFFFu) + 0x3F3504F3u;
    float m;
    memcpy(&m, &bits, sizeof m);
    float f = m - 1, s = f / (2 + f), z = s * s, half = 0.5f * f * f;
    float r = z * (0.6666666667f + z * (0.4f + z * (0.2857142857f + z * 0.2222222222f)));
    float sum = e * 0.693359375f + (f - (half - (s * (half + r) + e * -2.12194440e-4f)));
    x[i] = factor * sum;
  }
}

SHIFTWORK_DEFINE(
  ck_logarithms, (float *x, size_t count, float offset, float factor), (x, count, offset, factor))

BODY ck_frame_products_body(
    const double *matrix, size_t rows, size_t columns, const float *x, float *out) {
  const lanes *values = (const lanes *)x;
  for (size_t i = 0; i < rows; i++) {
    wide sum = {0};
    for (size_t j = 0; j < columns; j++)
      sum += __builtin_convertvector(values[j], wide) * matrix[i * columns + j];
    ((lanes *)out)[i] = __builtin_convertvector(sum, lanes);
  }
}

SHIFTWORK_DEFINE(
  ck_frame_products,
  (const double *matrix, size_t rows, size_t columns, const float *x, float *out),
  (matrix, rows, columns, x, out))

/// Eight rows of eight become eight columns.
BODY transpose(lanes r[8]) {
  lanes t[8], u[8];
  for (size_t i = 0; i < 8; i += 2) {
    t[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = SHUFFLE(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (size_t i = 0; i < 8; i += 4)
    for (size_t j = 0; j < 2; j++) {
      u[i + 2 * j] = SHUFFLE(t[i + j], t[i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
      u[i + 2 * j + 1] = SHUFFLE(t[i + j], t[i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (size_t i = 0; i < 4; i++) {
    r[i] = SHUFFLE(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = SHUFFLE(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

BODY ck_store_frames_body(
    const float *x, size_t count, size_t used, float *out, size_t stride) {
  size_t whole = count / 8 * 8;
  for (size_t v = 0; v < whole; v += 8) {
    lanes r[8];
    for (size_t i = 0; i < 8; i++) r[i] = ((const lanes *)x)[v + i];
    transpose(r);
    for (size_t f = 0; f < used; f++) memcpy(out + f * stride + v, &r[f], sizeof r[f]);
  }
  for (size_t v = whole; v < count; v++)
    for (size_t f = 0; f < used; f++) out[f * stride + v] = x[v * 8 + f];
}

SHIFTWORK_DEFINE(
  ck_store_frames, (const float *x, size_t count, size_t used, float *out, size_t stride),
  (x, count, used, out, stride))

// MARK: samples

CLONES void ck_divide(const float *x, float divisor, float *y, size_t count) {
  EACH for (size_t i = 0; i < count; i++) y[i] = x[i] / divisor;
}

CLONES float ck_largest(const float *x, size_t count) {
  float lanes[16], largest = x[0];
  for (size_t j = 0; j < 16; j++) lanes[j] = x[0];
  size_t whole = count / 16 * 16;
  for (size_t i = 0; i < whole; i += 16)
    for (size_t j = 0; j < 16; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  for (size_t j = 0; j < 16; j++) largest = lanes[j] > largest ? lanes[j] : largest;
  for (size_t i = whole; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

CLONES void ck_samples(const int16_t *x, float *y, size_t count) {
  EACH for (size_t i = 0; i < count; i++) y[i] = (float)x[i] * 0x1p-15f;
}
