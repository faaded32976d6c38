"""Tube results in and out, in the two standards that laboratory systems speak: HL7 v2.5.1 and
FHIR R4. Tube codes only: a name that comes in is never read, and none can go out.
"""
