"""What bots are tried and tested with, without a phone and without WhatsApp."""
