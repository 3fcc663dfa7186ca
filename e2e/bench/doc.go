// Package bench measures what a webhook costs, against a floor that does nothing
// but read the request. It replays requests that a real API server sent
// (testdata, recorded by `lab record`) as an API server does: over one HTTP/2
// connection with TLS, several at once.
//
// The two servers take turns in short rounds, and the ratio is taken within each
// round: a machine that is busy for a while slows both. CPU time is read from
// /proc, so the client's own does not count.
//
// The same load serves to profile the webhook, for its profile-guided build.
package bench
