// Package certificate decides about the authority and the certificate with which the
// webhook serves: whether to make, renew, mend or let go of one, from what is stored and
// the time. It makes keys and certificates, and holds neither a client nor a clock: who
// stores what it decided is certificate/controller.
//
// The order of the steps is what keeps the API server from ever refusing a certificate
// that a replica serves: an authority is in the bundles for a while before it signs, and
// stays there for a while after the last certificate of the one before was replaced.
package certificate
