// Package ruling turns WorkloadPolicy resources into what the gate applies: for a
// namespace and a control, the modes and parameters in force.
//
// It refuses resources that mean nothing (an unknown control, a parameter that the
// control does not read) and says what was probably meant. It is pure: namespaces
// and resources come in as data.
package ruling
