"""Tube results in HL7 v2.5.1 and FHIR R4, in and out."""
