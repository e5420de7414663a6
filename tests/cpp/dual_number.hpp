// Forward differentiation by dual numbers, exact to rounding: derivatives of test functions that
// are written once, as templates of their scalar. Nested, they give second derivatives.
#pragma once

#include <cmath>

namespace thalweg::test {

template <class T>
struct Dual {
  T value{}, slope{};

  Dual() = default;
  Dual(double v) : value(v) {}  // NOLINT: constants mix with dual numbers
  Dual(T v, T s) : value(v), slope(s) {}

  friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.slope + b.slope};
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.slope - b.slope};
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const T quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  friend Dual operator-(const Dual& a) { return {-a.value, -a.slope}; }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
};

inline double real(double v) { return v; }
template <class T>
double real(const Dual<T>& v) {
  return real(v.value);
}

using std::atan;
using std::cos;
using std::exp;
using std::log;
using std::pow;
using std::sin;
using std::sqrt;

template <class T>
Dual<T> exp(const Dual<T>& v) {
  const T e = exp(v.value);
  return {e, e * v.slope};
}
template <class T>
Dual<T> log(const Dual<T>& v) {
  return {log(v.value), v.slope / v.value};
}
template <class T>
Dual<T> sqrt(const Dual<T>& v) {
  const T root = sqrt(v.value);
  return {root, v.slope / (T(2.0) * root)};
}
template <class T>
Dual<T> sin(const Dual<T>& v) {
  return {sin(v.value), cos(v.value) * v.slope};
}
template <class T>
Dual<T> cos(const Dual<T>& v) {
  return {cos(v.value), -(sin(v.value) * v.slope)};
}
template <class T>
Dual<T> atan(const Dual<T>& v) {
  return {atan(v.value), v.slope / (T(1.0) + v.value * v.value)};
}

}  // namespace thalweg::test
