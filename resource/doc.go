// Package resource reads hardgate's custom resources, as the webhook gets them to judge
// and as controllers find them stored: strictly, and with errors that name the field and
// what was probably meant.
package resource
