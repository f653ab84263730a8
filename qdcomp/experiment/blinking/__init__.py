"""Blinking: ON and OFF, Mandel's Q, power laws, change points, photodarkening."""
