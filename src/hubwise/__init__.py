"""Hubwise: price, plan, check and bill a smart EV-charging hub."""
