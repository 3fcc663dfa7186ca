// Package accounts reads who has an account on a node and how passwords age:
// passwd, group, shadow, login.defs and the defaults of useradd.
//
// No password hash leaves it. Of a password field it tells what the field amounts
// to, never a part of it, and its errors name lines, never what stands there.
package accounts
