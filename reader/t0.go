package reader

import "github.com/airlock-signer/airlock/reader/card"

// maxReply is the longest reply that is put together from parts: an extended
// one with its status word.
const maxReply = 65536 + 2

// exchangeT0 sends one APDU (at least 4 bytes) over a T=0 connection, where a
// card answers in two steps (ISO 7816-4, 7816-3 section 12.2): 61xx says that xx
// bytes wait to be fetched with GET RESPONSE, 6Cxx that the command wants to be
// sent again with Le = xx. Over T=1 a reply comes whole.
func exchangeT0(send func([]byte) ([]byte, error), apdu []byte) ([]byte, error) {
	reply, err := sendWithLe(send, apdu)
	if err != nil {
		return nil, err
	}
	var whole []byte
	for {
		n := len(reply)
		if n < 2 { // or its byte would count as a status word with one of before
			return nil, card.BadReplyError{What: "shorter than a status word"}
		}
		if reply[n-2] != 0x61 {
			return append(whole, reply...), nil
		}
		whole = append(whole, reply[:n-2]...)
		// The two low bits of the class are the logical channel.
		reply, err = sendWithLe(send, []byte{apdu[0] & 0x03, 0xC0, 0, 0, reply[n-1]})
		if err != nil {
			return nil, err
		}
		endless := len(reply) == 2 && reply[0] == 0x61
		if endless || len(whole)+len(reply) > maxReply {
			return nil, card.BadReplyError{What: "a reply without end"}
		}
	}
}

// sendWithLe sends again once, with the length the card asks for, a command
// that wants a reply and has no data.
func sendWithLe(send func([]byte) ([]byte, error), apdu []byte) ([]byte, error) {
	reply, err := send(apdu)
	if err != nil || len(reply) != 2 || reply[0] != 0x6C || len(apdu) > 5 {
		return reply, err
	}
	return send([]byte{apdu[0], apdu[1], apdu[2], apdu[3], reply[1]})
}
