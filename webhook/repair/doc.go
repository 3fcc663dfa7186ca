// Package repair says what a new object leaves unsaid and a policy may say for it.
//
// A repair only adds: it changes no value that an object has, and adds behind what a
// list has. null is no value, as it is none to the API server. Nothing is encoded anew
// but what is added, so that fields which nobody here knows stay as they are.
//
// What is not repaired: templates (their pods are), pods for Windows, static pods'
// mirrors, what passes already, and what an Exemption covers: such a container keeps what
// it has. Whether an object is good is not decided here: it is judged after its repair.
// The package is pure.
package repair
