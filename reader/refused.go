package reader

import "github.com/airlock-signer/airlock/reader/card"

// refusedError is a service that runs but turns this program away (polkit).
type refusedError struct{}

func (refusedError) Error() string {
	return "The smart card service (pcscd) runs but turns this program away. Start the station from the machine's own desktop session, or as root."
}

// Is makes errors.Is(err, card.ErrNoService) true: there is none to be had.
func (refusedError) Is(target error) bool { return target == error(card.ErrNoService) }
