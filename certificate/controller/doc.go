// Package controller carries out what package certificate decides, while this replica
// leads: it keeps the Secrets of the authority and of the serving certificate and the
// bundles of both webhook configurations. Where cert-manager does that, it only watches
// whether it is done. It never logs, counts or tells anything of a key.
package controller
