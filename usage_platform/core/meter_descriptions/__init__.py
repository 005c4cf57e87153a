"""What people say of meters: quantity, unit, stamp, sign, register, versions."""
